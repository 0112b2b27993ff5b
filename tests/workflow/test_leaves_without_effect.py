"""Settings that no result of the tiny run depends on, changed at once: only the page that prints them runs again."""

WITHOUT_EFFECT = {
    "sources": {
        "towers": {"maximum_member_gb": 3.0, "maximum_compression": 150.0, "minimum_sites": 4},
        "cover": {"age": {"tree_cover": 20}, "aggregate_degrees": 0.5, "area_weights": False, "tower_window_km": 2.0},
    },
    "imputation": {"eta": 0.5},
    "harmonise": {"tower_weather": "cell"},
    "trees": {"threads": 2},
    "downloads": {"attempts": 2},
}


def test_they_rerun_nothing_together(tiny):
    name = tiny.configured("without_effect.yaml", WITHOUT_EFFECT)
    try:
        assert tiny.invalidated(name) == {"resolved_config"}
        assert set(tiny.pending(name)) == {"resolved_config", "all"}
    finally:
        (tiny.folder / name).unlink()
