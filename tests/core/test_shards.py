"""A checkpoint's matrices from its files: the same ones, in the same bits, as the loaded model's."""

import json

import pytest
import torch
from safetensors.torch import save_file

from t2ui.core import Shards, attach, decompose_all
from t2ui.core.shards import shapes_of

from .models import make_llama, make_llava


@pytest.mark.parametrize("make", [make_llama, make_llava])
@pytest.mark.parametrize("size", ["5GB", "20KB"])
def test_streaming_a_checkpoint_fills_the_cache_for_the_model(tmp_path, make, size):
    make().save_pretrained(tmp_path / "model", max_shard_size=size)
    assert len(list((tmp_path / "model").glob("*.safetensors"))) > (size == "20KB")
    shards = Shards(tmp_path / "model", torch.float32)
    streamed = list(decompose_all(shards, tmp_path / "cache"))
    model = type(make()).from_pretrained(tmp_path / "model")
    found = []
    adapted = attach(model, cache_dir=tmp_path / "cache", progress=found.append)
    assert len(found) == len(streamed) == len(shards) and all(r.cached for r in found)
    assert adapted.R == sum(min(s) for s in shards.shapes.values())


def test_matrices_are_cast_as_loading_would(tmp_path):
    make_llama().to(torch.bfloat16).save_pretrained(tmp_path)
    model = type(make_llama()).from_pretrained(tmp_path, dtype=torch.float32)
    name = "model.layers.1.mlp.down_proj.weight"
    for dtype in (torch.float32, torch.float16):
        assert torch.equal(Shards(tmp_path, dtype)[name], model.get_parameter(name).to(dtype))


def test_a_consolidated_copy_beside_the_shards_counts_once(tmp_path):
    model = make_llama()
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    once = shapes_of(tmp_path)
    save_file({f"copy.{k}": v.contiguous() for k, v in model.state_dict().items()}, tmp_path / "consolidated.safetensors")
    assert shapes_of(tmp_path) == once
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": 3}))
    assert len(shapes_of(tmp_path)) > len(once)  # an unreadable index: everything there is


def test_layers_come_in_order(tmp_path):
    save_file({f"model.layers.{i}.mlp.up_proj.weight": torch.ones(2, 2) for i in range(12)}, tmp_path / "model.safetensors")
    numbers = [int(name.split(".")[2]) for name in Shards(tmp_path, torch.float32)]
    assert numbers == list(range(12))


def test_a_folder_without_matrices_and_a_damaged_file(tmp_path):
    with pytest.raises(ValueError, match="downloaded completely"):
        Shards(tmp_path, torch.float32)
    make_llama().save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(ValueError, match="model.safetensors is damaged"):
        list(decompose_all(Shards(tmp_path, torch.float32)))
