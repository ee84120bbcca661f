"""Options and presets."""

import dataclasses

import pytest

from hoijax.body.parts import PART_NAMES, read_part_name
from hoijax.config import PARAMETERS, Config, Stage, option_names, static_options, with_options
from hoijax.losses.terms import TERMS, check_terms
from hoijax.presets import PHOSA_ROWS, PRESETS, RELEASE_RATES, phosa


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


def test_with_options_changes_what_its_name_says_and_nothing_else() -> None:
    base = PRESETS["paper"]()
    changed = with_options(
        base,
        {
            "image_size": 128,
            "hoi.slide": 1,
            "hoi.weights.contact": 0,
            "hoi.weights.ordinal": 3,
            "render.rates.human.pose": 0,
            "render.rates.object.rotvec": 0.5,
        },
    )
    render, hoi = changed.stages
    assert changed.image_size == 128
    assert repr(hoi.slide) == "1.0"  # a whole number becomes a float, so that equal options are written alike
    assert "contact" not in hoi.weights
    assert repr(hoi.weights["ordinal"]) == "3.0"
    assert "human.pose" not in render.rates
    assert render.rates["object.rotvec"] == 0.5
    back = {"image_size": 256, "hoi.slide": 0.0, "hoi.weights.contact": 1.0, "hoi.weights.ordinal": 1.0}
    rates = {f"render.rates.{name}": RELEASE_RATES[name] for name in ("human.pose", "object.rotvec")}
    assert with_options(changed, back | rates) == base
    assert base == PRESETS["paper"]()
    assert with_options(base, {}) == base


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_option_can_be_set_to_itself(name: str) -> None:
    config = PRESETS[name]()
    names = list(option_names(config))
    assert {"image_size", "seed", f"{config.stages[0].name}.steps", f"{config.stages[0].name}.slide"} <= set(names)
    assert not {"preset", "stages"} & set(names)
    for option in names:
        stage, _, rest = option.partition(".")
        own = {each.name: each for each in config.stages}.get(stage, config)
        field, _, entry = (rest or option).partition(".")
        value = getattr(own, field)
        assert with_options(config, {option: value.get(entry, 0) if entry else value}) == config


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"image_sise": 64}, r"no option 'image_sise' in the preset 'paper'.*did you mean 'image_size'"),
        ({"hoi.slid": 1.0}, r"did you mean 'hoi\.slide'"),
        ({"hoi.rates.object.rotvek": 1.0}, r"did you mean 'hoi\.rates\.object\.rotvec'"),
        ({"polish.steps": 3}, r"'polish\.steps'.*its stages: render, hoi"),
        ({"hoi.weights": 1.0}, r"no option 'hoi\.weights'"),
        ({"hoi": 1.0}, r"no option 'hoi'"),
        ({"hoi.steps.more": 1}, r"no option 'hoi\.steps\.more'"),
        ({"preset": "mine"}, "no option 'preset'"),
        ({"stages": ()}, "no option 'stages'"),
        ({"hoi.name": "x"}, r"no option 'hoi\.name'"),
        ({"image_size": 64.0}, r"'image_size' is 64\.0, expected int like 256"),
        ({"image_size": True}, "'image_size' is True, expected int"),
        ({"hide_back_human": 1}, "'hide_back_human' is 1, expected bool"),
        ({"hoi.weights.contact": "much"}, r"'hoi\.weights\.contact' is 'much', expected float"),
        ({"hoi.steps": -1}, "steps is -1"),
    ],
)
def test_with_options_says_what_is_wrong(changes: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        with_options(PRESETS["paper"](), changes)


def test_an_unknown_term_is_named_with_the_nearest() -> None:
    check_terms(TERMS)
    with pytest.raises(ValueError, match="'contac'; did you mean 'contact'"):
        check_terms(["l1_joint", "contac"])


def test_a_reduction_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="ordinal_reduce is 'max', expected 'mean' or 'sum'"):
        with_options(PRESETS["paper"](), {"ordinal_reduce": "max"})


def test_a_rasterizer_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="rasterizer is 'cuda', expected 'xla' or 'pallas'"):
        with_options(PRESETS["paper"](), {"rasterizer": "cuda"})
    assert static_options(with_options(PRESETS["paper"](), {"rasterizer": "pallas"})).rasterizer == "pallas"
