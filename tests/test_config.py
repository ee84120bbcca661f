"""Options and presets."""

import dataclasses

import pytest

from hoijax.body.parts import PART_NAMES, read_part_name
from hoijax.config import PARAMETERS, PHOSA_ROWS, PRESETS, RELEASE_RATES, Config, Stage, phosa, static_options
from hoijax.losses.terms import TERMS


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_hashable_equal_and_name_what_exists(name: str) -> None:
    one, two = PRESETS[name](), PRESETS[name]()
    assert one == two
    assert hash(one) == hash(two)
    assert one.preset == name
    assert sum(stage.steps for stage in one.stages) == (400 if name == "phosa" else 160)
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


def test_phosa_has_a_row_for_everything_and_one_for_each_of_its_classes() -> None:
    stage = phosa().stages[0]
    assert (stage.search, stage.steps, phosa().scale_about) == (2000, 400, "camera")
    assert (phosa().contact_parts, phosa().object_length) == ("", 0)  # annotated, and about the coarse scale
    assert "collision" not in stage.weights
    assert phosa(collision=True).stages[0].weights["collision"] == 2
    assert dict(phosa("tennis").stages[0].weights) == {
        "interaction": 30,
        "ordinal": 0.01,
        "part_interaction": 500,
        "silhouette_crop": 10,
        "scale_prior": 1e4,
    }
    assert "interaction" not in phosa("motorcycle").stages[0].weights
    for category, row in PHOSA_ROWS.items():
        config = phosa(category)
        assert config.object_length == row.length > 0.4
        assert {read_part_name(name) for name in config.contact_parts.split(",")} <= set(PART_NAMES)
    with pytest.raises(ValueError, match="no category 'spoon'; there are bat, bench, bicycle"):
        phosa("spoon")


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
