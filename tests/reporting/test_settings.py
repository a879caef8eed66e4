"""The figure of quality against cost joins the settings of one model."""

from __future__ import annotations

import re

from benchbench.reporting.figures.scatter import Point, scatter


def test_settings_of_one_model_are_joined_by_a_line_in_the_order_of_cost():
    points = [
        Point("demucs:htdemucs[shifts=4]", 0, 4.0, 9.0, None, None),
        Point("demucs:htdemucs", 1, 1.0, 8.0, None, None),
        Point("demucs:htdemucs[shifts=2]", 2, 2.0, 8.5, None, None),
        Point("spleeter:2stems", 3, 0.1, 6.0, None, None),
    ]
    drawn = str(scatter(points, "t", "d", "a", "u"))
    (line,) = re.findall(r'<path class="family" d="M([^"]+)"><title>([^<]+)</title>', drawn)
    assert line[1] == "demucs:htdemucs"
    across = [float(part.split()[0]) for part in line[0].split("L")]
    assert len(across) == 3
    assert across == sorted(across)
    alone = str(scatter([points[1], points[3]], "t", "d", "a", "u"))
    assert "family" not in alone
