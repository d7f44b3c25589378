"""attach(): which layers become SVFLinear, and what is refused."""

import pytest
import torch
from torch import nn

from t2ui.core import SVFLinear, attach, decoder_layers

from .models import LAYERS, close, ids, make_llava, some_z


@pytest.mark.parametrize(
    ("targets", "layers", "count"),
    [
        ("all", None, 14),
        ("attention", None, 8),
        ("mlp", None, 6),
        (r"(q|v)_proj$", None, 4),
        ("all", range(1, 2), 7),
        ("mlp", [0], 3),
        ("all", 1, 7),
        (r"layers\.0\..*down", None, 1),
    ],
)
def test_targets_and_layers(llama, targets, layers, count):
    adapted = attach(llama, targets, layers)
    assert len(adapted.paths) == count
    assert sum(isinstance(m, SVFLinear) for m in llama.modules()) == count
    assert adapted.n_layers == LAYERS


@pytest.mark.parametrize(
    ("targets", "layers", "says"),
    [
        ("banana", None, "q_proj"),
        ("(", None, "regular expression"),
        ("all", [2], "layers 0 to 1"),
        ("all", [-1], "layers 0 to 1"),
        ("all", [], "layers 0 to 1"),
        ("lm_head", None, "no linear layer"),
    ],
)
def test_unfit_targets_are_refused_and_the_model_is_untouched(llama, targets, layers, says):
    with pytest.raises(ValueError, match=says):
        attach(llama, targets, layers)
    assert not any(isinstance(m, SVFLinear) for m in llama.modules())


def test_llava_vision_tower_projector_and_head_are_left_alone():
    model = make_llava()
    name, layers = decoder_layers(model)
    assert len(layers) == LAYERS  # though the vision tower is larger and deeper
    assert "vision" not in name
    pixels, tokens = torch.randn(2, 3, 16, 16), torch.cat([torch.full((2, 4), 4), ids(2)], 1)
    with torch.no_grad():
        want = model(input_ids=tokens, pixel_values=pixels).logits
        adapted = attach(model)
        assert torch.equal(model(input_ids=tokens, pixel_values=pixels).logits, want)
        z = some_z(adapted)
        with adapted.rows(adapted.sigma * torch.stack([torch.ones_like(z), z])):
            mixed = model(input_ids=tokens, pixel_values=pixels).logits
        with adapted.folded(z):
            folded = model(input_ids=tokens, pixel_values=pixels).logits
    assert len(adapted.paths) == 7 * LAYERS
    assert all("language_model" in p for p in adapted.paths)
    close(mixed[0], want[0], torch.float32)
    close(mixed[1], folded[1], torch.float32)


def test_no_decoder_layers():
    with pytest.raises(ValueError, match="no decoder layers"):
        attach(nn.Sequential(nn.Linear(3, 3)))


def test_shared_weights_are_refused(llama):
    layers = llama.model.layers
    layers[1].mlp.up_proj.weight = layers[0].mlp.up_proj.weight
    with pytest.raises(ValueError, match="share one weight"):
        attach(llama, "mlp")


def test_attaching_twice_is_refused(adapted):
    with pytest.raises(ValueError, match="attached already"):
        attach(adapted.model)
