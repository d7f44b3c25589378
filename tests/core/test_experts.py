import json
import struct

import pytest
import torch
from safetensors.torch import save as save_bytes
from transformers import LlamaConfig, LlamaForCausalLM

from t2ui.core import Expert, ExpertError, ExpertStack, attach, load_expert

from .models import make_llama, some_z


@pytest.fixture
def expert(adapted):
    return Expert.from_z(
        adapted, "math", some_z(adapted), objective="REINFORCE", meta={"title": "Mathé", "accuracy": 0.5}
    )


def header_of(file):
    data = file.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + size])


def rewrite(file, tensors=None, **changes):
    """The file again with some header entries or tensors changed."""
    held = json.loads(header_of(file)["__metadata__"]["t2ui"])
    if tensors is None:
        tensors = dict(load_expert(file).z)
    held.update(changes)
    file.write_bytes(save_bytes(tensors, {"t2ui": json.dumps(held)}))


def levels(findings):
    return [f.level for f in findings]


def test_save_and_load_is_bitwise(tmp_path, adapted, expert):
    file = expert.save(tmp_path / "experts" / "math")
    assert file == tmp_path / "experts" / "math" / "expert.safetensors"
    for path in (file, file.parent, str(file)):
        back = load_expert(path)
        assert sorted(back.z) == sorted(adapted.paths)
        assert all(torch.equal(back.z[p], expert.z[p]) and back.z[p].dtype == torch.float32 for p in expert.z)
        for key in ("name", "role", "base_id", "fingerprint", "targets", "objective", "basis", "meta"):
            assert getattr(back, key) == getattr(expert, key)
        assert back.check(adapted) == []
    assert [f.name for f in file.parent.iterdir()] == ["expert.safetensors"]


def test_equal_experts_are_equal_files_and_small(tmp_path, adapted, expert):
    first = expert.save(tmp_path / "a.safetensors").read_bytes()
    assert load_expert(tmp_path / "a.safetensors").save(tmp_path / "b.safetensors").read_bytes() == first
    assert len(first) < 4 * adapted.R + 600 * len(adapted.paths) + 1000


def test_the_header_says_whose_expert_it_is(tmp_path, adapted, expert):
    held = json.loads(header_of(expert.save(tmp_path))["__metadata__"]["t2ui"])
    assert held["format"] == 1
    assert (held["name"], held["role"], held["base_id"], held["targets"]) == ("math", "skill", "tiny", "all")
    assert held["fingerprint"] == adapted.fingerprint
    assert set(held["basis"]["matrices"]) == set(adapted.paths)


def test_z_is_copied(adapted):
    z = {p: torch.ones(r) for p, r in adapted.ranks.items()}
    expert = Expert.from_z(adapted, "math", z)
    z[adapted.paths[0]].zero_()
    assert (expert.z[adapted.paths[0]] == 1).all()


@pytest.mark.parametrize(
    "name", ["base", "other", "auto", "", "1st", "a b", "a/b", "../x", "a=b", "a,b", "x" * 65, None]
)
def test_unusable_names(adapted, name):
    with pytest.raises(ExpertError, match="unusable name"):
        Expert.from_z(adapted, name, some_z(adapted))


def test_from_z_refuses_what_does_not_fit(adapted):
    path = adapted.paths[0]
    z = some_z(adapted)
    z[5] = float("nan")
    with pytest.raises(ExpertError, match=rf"{path}: found 1 NaN .* earlier checkpoint"):
        Expert.from_z(adapted, "math", z)
    with pytest.raises(ExpertError, match=r"wrong shape: found 3 entries .* expected 32"):
        Expert.from_z(adapted, "math", {path: torch.ones(3)})
    with pytest.raises(ExpertError, match="not adapted here"):
        Expert.from_z(adapted, "math", {"lm_head": torch.ones(3)})
    with pytest.raises(ExpertError, match="no vectors"):
        Expert.from_z(adapted, "math", {})
    with pytest.raises(ExpertError, match="unknown role"):
        Expert.from_z(adapted, "math", some_z(adapted), role="king")


def test_meta_must_be_plain(tmp_path, adapted):
    for meta in ({"x": float("nan")}, {"x": object()}):
        with pytest.raises(ExpertError, match="plain JSON"):
            Expert.from_z(adapted, "math", some_z(adapted), meta=meta).save(tmp_path)
    assert not list(tmp_path.iterdir())


# -- the wrong model


def test_other_weights_are_refused(expert):
    (finding,) = expert.check(attach(make_llama(seed=1), base_id="tiny"))
    assert finding.level == "refuse"
    assert "other weights" in finding.what
    assert "Load tiny as it was" in finding.todo
    (finding,) = expert.check(attach(make_llama(seed=1), base_id="large"))
    assert "another base" in finding.what
    assert "tiny" in finding.found
    assert "large" in finding.expected


def test_one_changed_matrix_is_refused(expert):
    model = make_llama()
    model.model.layers[1].mlp.up_proj.weight.data[0] += 0.1
    assert levels(expert.check(attach(model))) == ["refuse"]


def test_a_model_of_another_size_is_refused(expert):
    config = LlamaConfig(
        vocab_size=64,
        hidden_size=64,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
    )
    (finding,) = expert.check(attach(LlamaForCausalLM(config), base_id="wide"))
    assert (finding.level, finding.what) == ("refuse", "wrong shape")
    assert "and 13 more" in finding.found  # even the smallest rank has changed
    assert "tiny" in finding.todo


def test_missing_modules_are_refused_with_the_targets_to_use(expert):
    (finding,) = expert.check(attach(make_llama(), "attention"))
    assert finding.level == "refuse"
    assert "6 of 14" in finding.found
    assert "targets='all'" in finding.todo


def test_an_expert_of_fewer_modules_fits(adapted):
    small = attach(make_llama(), "attention", base_id="tiny")
    expert = Expert.from_z(small, "math", some_z(small))
    assert expert.check(adapted) == []
    assert expert.check(small) == []


def test_the_same_model_under_another_name_or_dtype_fits(expert):
    assert expert.check(attach(make_llama(), base_id="a copy")) == []
    findings = expert.check(attach(make_llama(dtype=torch.bfloat16)))
    assert "refuse" not in levels(findings)


def test_an_expert_that_changes_nothing_is_warned_of(adapted):
    (finding,) = Expert.from_z(adapted, "math", torch.ones(adapted.R)).check(adapted)
    assert (finding.level, finding.what) == ("warn", "it changes nothing")


# -- the wrong basis (the weights are the same: only the factors differ)


def turn(module, i, j, angle):
    """Rotate directions i and j into each other, in U and in Vh: harmless to W only if their sigmas are equal."""
    cos, sin = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    U, Vh = module.U.clone(), module.Vh.clone()
    U[:, i], U[:, j] = cos * module.U[:, i] + sin * module.U[:, j], cos * module.U[:, j] - sin * module.U[:, i]
    Vh[i], Vh[j] = cos * module.Vh[i] + sin * module.Vh[j], cos * module.Vh[j] - sin * module.Vh[i]
    module.U, module.Vh = U, Vh


def test_signs_do_not_matter(adapted, expert):
    for module in adapted.modules.values():
        sign = torch.where(torch.arange(module.r) % 2 == 0, 1.0, -1.0)
        module.U, module.Vh = module.U * sign, module.Vh * sign[:, None]
    assert expert.check(adapted) == []


def test_rounding_does_not_matter(adapted, expert):
    for module in adapted.modules.values():
        module.U, module.Vh = module.U.half().float(), module.Vh.half().float()
        module.sigma = module.sigma.half().float()
    assert expert.check(adapted) == []


@pytest.mark.parametrize("how", ["turned", "order", "one side"])
def test_a_drifted_basis_is_refused(adapted, expert, how):
    module = adapted.modules[adapted.paths[2]]
    if how == "turned":
        for i in range(0, module.r, 2):
            turn(module, i, i + 1, 0.9)
    elif how == "order":
        module.U, module.Vh = module.U.flip(1), module.Vh.flip(0)
    else:
        module.Vh = module.Vh.roll(1, 0)
    (finding,) = expert.check(adapted)
    assert (finding.level, finding.what) == ("refuse", "another basis of singular vectors")
    assert adapted.paths[2] in finding.found
    assert "Delete the decomposition cache" in finding.todo
    with pytest.raises(ExpertError, match="another basis"):
        ExpertStack(adapted, [expert])


def test_other_singular_values_are_refused(adapted, expert):
    module = adapted.modules[adapted.paths[0]]
    module.sigma = module.sigma * 1.05
    (finding,) = expert.check(adapted)
    assert (finding.level, finding.what) == ("refuse", "other singular values")


def test_rotation_inside_equal_singular_values_is_warned_of():
    """W does not determine the basis there: both decompositions are right, but z acts differently."""
    model = make_llama()
    linear = model.model.layers[0].self_attn.q_proj
    U, sigma, Vh = torch.linalg.svd(linear.weight.detach())
    sigma[8:24] = sigma[16]
    linear.weight.data = (U * sigma) @ Vh
    adapted = attach(model, "q_proj", 0)
    expert = Expert.from_z(adapted, "math", some_z(adapted))
    (module,) = adapted.modules.values()
    for i in range(8, 24, 2):
        turn(module, i, i + 1, 1.0)
    (finding,) = expert.check(adapted)
    assert finding.level == "warn"
    assert "nearly equal singular values" in finding.what
    assert "%" in finding.found
    ExpertStack(adapted, [expert])  # a warning does not forbid


def test_null_space_directions_do_not_matter():
    model = make_llama()
    model.model.layers[0].self_attn.q_proj.weight.data[:, 20:] = 0
    adapted = attach(model, "q_proj", 0)
    expert = Expert.from_z(adapted, "math", some_z(adapted))
    (module,) = adapted.modules.values()
    for i in range(20, 32, 2):
        turn(module, i, i + 1, 1.0)
    assert expert.check(adapted) == []


@pytest.mark.parametrize(
    "basis", [{}, {"version": 99}, {"version": 1, "matrices": {}}, None, {"version": 1, "matrices": 3}]
)
def test_a_missing_basis_check_is_warned_of(tmp_path, adapted, expert, basis):
    file = expert.save(tmp_path)
    rewrite(file, basis=basis)
    (finding,) = load_expert(file).check(adapted)
    assert (finding.level, finding.what) == ("warn", "no usable basis check")


def test_a_damaged_basis_check_is_warned_of(tmp_path, adapted, expert):
    for key, value in (("u", "AAAA"), ("v", "%%%"), ("apart", ""), ("sigma", [None] * 8), ("sigma", [1.0])):
        basis = json.loads(json.dumps(expert.basis))
        basis["matrices"][adapted.paths[0]][key] = value
        file = expert.save(tmp_path)
        rewrite(file, basis=basis)
        (finding,) = load_expert(file).check(adapted)
        assert finding.todo  # refused or warned of, never an exception


# -- damaged files


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_truncated_files(tmp_path, expert, share):
    file = expert.save(tmp_path / "math")
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(
        ExpertError, match=r"math/expert.safetensors: truncated or damaged: .* Copy or download .* again"
    ):
        load_expert(file)


def test_no_file(tmp_path):
    with pytest.raises(ExpertError, match="cannot be read"):
        load_expert(tmp_path / "nowhere.safetensors")
    with pytest.raises(ExpertError, match="cannot be read"):
        load_expert(tmp_path)  # a folder without an expert


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04" * 100, b"\xff" * 64, b"\x80\x04\x95" + b"x" * 100])
def test_other_files(tmp_path, data):
    (tmp_path / "x.safetensors").write_bytes(data)
    with pytest.raises(ExpertError, match="truncated or damaged"):
        load_expert(tmp_path / "x.safetensors")


def test_safetensors_of_something_else(tmp_path):
    for name, metadata in (
        ("a", None),
        ("b", {"format": "pt"}),
        ("c", {"t2ui": "{"}),
        ("d", {"t2ui": "[]"}),
        ("e", {"t2ui": "{}"}),
    ):
        file = tmp_path / f"{name}.safetensors"
        file.write_bytes(save_bytes({"w": torch.ones(3)}, metadata))
        with pytest.raises(ExpertError, match=r"not an expert file.*python -m t2ui train"):
            load_expert(file)


def test_bad_content(tmp_path, adapted, expert):
    file = expert.save(tmp_path)
    path = adapted.paths[0]
    good = dict(expert.z)
    for tensor, says in (
        (torch.full((32,), float("nan")), "32 NaN or infinite of 32"),
        (torch.ones(32).half(), "expected float32"),
        (torch.ones(4, 8), "of shape"),
        (torch.tensor(1.0), "of shape"),
        (torch.tensor([1.0, torch.inf]), "1 NaN or infinite"),
    ):
        rewrite(file, tensors={**good, path: tensor})
        with pytest.raises(ExpertError, match=says):
            load_expert(file)
        expert.save(tmp_path)
    for change, says in (
        ({"format": 2}, "Update this program"),
        ({"name": "a b"}, "unusable name"),
        ({"name": 3}, "not an expert file"),
        ({"role": "king"}, "unknown role"),
        ({"meta": []}, "not an expert file"),
        ({"fingerprint": None}, "not an expert file"),
    ):
        rewrite(file, **change)
        with pytest.raises(ExpertError, match=says):
            load_expert(file)
        expert.save(tmp_path)
