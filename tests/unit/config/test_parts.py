"""Which parts a method over methods may have."""

import pytest

from dere.methods import in_run, methods
from dere.run_config.root import normalise

RUN = ["climatology", "gbm", "gp", "blend"]


def test_the_settings_of_a_method_over_methods_are_there_where_it_runs():
    assert normalise({})["blend"] == {"methods": list(methods()["blend"].parts)}
    assert "blend" not in normalise({"methods": ["gbm"]})
    config = normalise({"methods": RUN, "blend": {"methods": ["gbm", "climatology"]}})
    made = in_run("blend", config)
    assert made.parts == ("gbm", "climatology") and not made.per_backbone and made.serves("co2")
    assert in_run("gbm", config) == methods()["gbm"]
    assert methods()["blend"].per_backbone and methods()["blend"].exchanges == ("co2",)


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["gbm", "gpx"], "blend.methods: gpx is no method; choose from climatology, "),
        (["gbm", "blend"], "blend.methods: blend is over methods itself; name its parts instead "),
        (
            ["gbm", "dere"],
            "blend.methods: dere is not among the run's methods (climatology, gbm, gp, blend); add it to",
        ),
        (["gbm", "gbm"], "blend.methods: ['gbm', 'gbm'] holds a method twice or fewer than two; name at least two"),
        (["gbm"], "blend.methods: "),
        ([], "blend.methods: "),
    ],
)
def test_wrong_parts_are_a_sentence(parts, sentence):
    with pytest.raises(ValueError) as error:
        normalise({"methods": RUN, "blend": {"methods": parts}})
    assert str(error.value).startswith(sentence) and "\n" not in str(error.value)
    print(error.value)
