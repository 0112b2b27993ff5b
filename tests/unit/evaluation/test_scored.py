"""A run in which no tower can be scored says what left them out."""

import pandas as pd
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.scored import require_scores


def test_no_score_at_all_is_refused_with_the_leaves_that_decide():
    require_scores(pd.DataFrame({"nse": [0.1]}), EvaluationConfig())
    with pytest.raises(
        ValueError, match=r"minimum_months \(12\) months of quality .*testing_quality \(0.5\); lower them"
    ):
        require_scores(pd.DataFrame(), EvaluationConfig())
    with pytest.raises(ValueError, match=r"minimum_measured \(0.3\), which only half-hourly files state; lower them"):
        require_scores(pd.DataFrame(), EvaluationConfig(minimum_measured=0.3))
