"""`bench show`: lines that fit the terminal, and where the weights of each variant come from."""

from __future__ import annotations

import pytest

from benchbench.cli.description import description


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("name", ["spleeter", "zipformer", "musdb18", "bsseval-v4"])
def test_every_line_fits(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = description(name).splitlines()
    assert len(lines) > 8
    assert columns / 2 < max(map(len, lines)) <= columns


def test_each_variant_says_where_its_weights_come_from() -> None:
    text = description("zipformer")
    tiny, base = (text[text.index(f"zipformer:{name}") :] for name in ("tiny:", "base-live:"))
    assert "weights     shipped, " in tiny.partition("\n\n")[0]
    assert "needs       weights of your own, with --weights" in base.partition("\n\n")[0]
    assert "weights     downloaded on use, 73 MB" in description("spleeter:2stems")
