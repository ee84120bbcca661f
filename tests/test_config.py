"""Options and presets."""

import dataclasses

import pytest

from hoijax.config import PARAMETERS, PRESETS, RELEASE_RATES, Config, Stage, static_options
from hoijax.losses.terms import TERMS


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_hashable_equal_and_name_what_exists(name: str) -> None:
    one, two = PRESETS[name](), PRESETS[name]()
    assert one == two
    assert hash(one) == hash(two)
    assert one.preset == name
    assert sum(stage.steps for stage in one.stages) == 160
    for stage in one.stages:
        assert set(stage.weights) <= set(TERMS)
        assert set(stage.rates) <= set(PARAMETERS)


def test_paper_weighs_what_the_paper_says() -> None:
    render, hoi = PRESETS["paper"]().stages
    assert (render.steps, hoi.steps) == (100, 60)
    assert {k: hoi.weights[k] for k in set(hoi.weights) - set(render.weights)} == {
        "contact": 1.0,
        "ordinal": 1.0,
        "collision": 1e-4,
    }
    assert dict(render.rates) == dict(hoi.rates) == RELEASE_RATES


def test_release_freezes_rotation_and_scale_in_its_second_stage() -> None:
    hoi = PRESETS["release"]().stages[1]
    assert set(RELEASE_RATES) - set(hoi.rates) == {"object.rotvec", "object.log_scale"}
    assert dict(hoi.weights) == {"collision": 1e-5}


def test_a_stage_refuses_what_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"'object\.size'.*known parameters"):
        Stage("render", 1, {}, {"object.size": 1.0})
    with pytest.raises(ValueError, match="steps is -1"):
        Stage("render", -1, {}, {})


def test_static_options_forget_names_and_weights_only() -> None:
    base = PRESETS["paper"]()
    other = dataclasses.replace(PRESETS["release"](), collision_gate=base.collision_gate, seed=3)
    assert static_options(base) == static_options(other)
    assert static_options(base) != static_options(dataclasses.replace(base, image_size=128))
    assert {field.name for field in dataclasses.fields(Config) if field.default is dataclasses.MISSING} == {
        "preset",
        "stages",
    }
