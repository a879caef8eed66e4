"""The first sentences of the report: the best model, its margin, certainty and cost.

Every difference in them is between numbers that the leaderboard shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchbench.reporting.data.leaderboards import Leaderboard, Row
from benchbench.reporting.data.models import ReportModel
from benchbench.reporting.data.pairwise import Pair, PairwiseTests
from benchbench.reporting.formatting import count, decibels, has_unit, megabytes, signed
from benchbench.stats.wording import speed

__all__ = ["Part", "Summary", "summary", "tied"]


NO_REFERENCES: Final = (
    "No separator is ranked: no true stems of these songs exist. The numbers are symptoms, which "
    "find songs and stems that went wrong."
)


@dataclass(frozen=True, slots=True)
class Part:
    """Plain text, or a model's name, which a page marks up and links."""

    text: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The sentences of the first screen.

    Parameters
    ----------
    answer
        One sentence: the leading model.
    support
        Further sentences: certainty, cost, caveats.
    leader
        The best model that is not an oracle; None when nothing was scored.
    tied
        The models that cannot be distinguished from it.
    """

    answer: tuple[Part, ...]
    support: tuple[tuple[Part, ...], ...]
    leader: str | None
    tied: tuple[str, ...]


def summary(
    board: Leaderboard,
    tests: PairwiseTests,
    report_models: dict[str, ReportModel],
    baseline: str | None = None,
) -> Summary:
    """Describe a board and its tests in sentences.

    Parameters
    ----------
    board, tests, report_models
        The headline, its pairs and the facts about its models.
    baseline
        A model that the others are compared with.
    """
    if not board.series.ranks:
        return Summary((Part(NO_REFERENCES),), (), None, ())
    rivals = _rivals(board, report_models)
    if not rivals:
        return Summary(
            (Part("Only bounds and baselines were scored: there is no separator to rank yet."),),
            tuple(_bounds(board, None, report_models)),
            None,
            (),
        )
    others = [row for row in rivals if row.kind != rivals[0].kind]
    rivals = [row for row in rivals if row.kind == rivals[0].kind]
    leader = rivals[0]
    pairs = [tests.pair(leader.model, row.model) for row in rivals[1:]]
    equal = tied(board, tests, report_models)
    support = [
        *_certainty(rivals, pairs, equal, unit(board)),
        *_kinds(board, leader, others, report_models),
        *_against(rivals, tests, baseline, unit(board)),
        *_gain(leader, tests, report_models, unit(board)),
        *_bounds(board, leader, report_models),
        *_cost(
            leader, [pair for pair in pairs if pair is not None and _level(pair)], report_models
        ),
        *_training(leader, report_models, board),
    ]
    answer = _answer(board, leader, rivals, equal, _proof(pairs))
    return Summary(answer, tuple(support), leader.model, equal)


def _rivals(board: Leaderboard, report_models: dict[str, ReportModel]) -> list[Row]:
    return [row for row in board.rows if row.value is not None and report_models[row.model].ranked]


def tied(
    board: Leaderboard, tests: PairwiseTests, report_models: dict[str, ReportModel]
) -> tuple[str, ...]:
    """The competing models that are not shown to be worse than the best of them.

    A test that is corrected for many pairs may lack power with few tracks. So a model whose
    interval excludes zero is not called tied.
    """
    competitors = _rivals(board, report_models)
    names = [row.model for row in competitors if row.kind == competitors[0].kind]
    pairs = [tests.pair(names[0], name) for name in names[1:]]
    return tuple(pair.second for pair in pairs if pair is not None and _level(pair))


def unit(board: Leaderboard) -> str:
    """The unit printed after a number; empty for plain numbers."""
    return f" {board.unit}" if has_unit(board.unit) else ""


def _proof(pairs: Sequence[Pair | None]) -> str:
    """What the tests and the intervals say of a lead over every rival."""
    if not all(pair is not None and pair.distinguishable for pair in pairs):
        return "on too few tracks to prove it"
    if any(pair is not None and _holds_zero(pair) for pair in pairs):
        return "though the 95% interval of its lead includes zero"
    return "and the lead is statistically significant"


def _answer(
    board: Leaderboard, leader: Row, rivals: list[Row], tied: tuple[str, ...], proof: str
) -> tuple[Part, ...]:
    best = Part(leader.model, leader.model)
    target = board.series.target
    among = f" among {leader.kind} separators" if leader.kind else ""
    if len(rivals) == 1:
        words = f" scores {decibels(leader.value)}{unit(board)} on {target}. It is the only separator here."
        return (best, Part(words))
    if not tied:
        return (best, Part(f" separates {target} best{among}, {proof}."))
    if len(tied) == len(rivals) - 1:
        return (
            Part(f"No separator is clearly best on {target}{among}; "),
            best,
            Part(" has the highest number."),
        )
    names = _models(tied[:2], len(tied))
    return (
        best,
        Part(f" leads on {target}{among}, but is not distinguishable from "),
        *names,
        Part("."),
    )


def _kinds(
    board: Leaderboard, leader: Row, others: list[Row], report_models: dict[str, ReportModel]
) -> list[tuple[Part, ...]]:
    """A note for boards with both masking and generative separators."""
    label = board.series.label
    if others:
        best = Part(others[0].model, others[0].model)
        return [
            (
                Part(
                    f"{label} cannot rank generative separators against masking ones: listeners "
                    f"disagree with it on two pairs of three. Among {others[0].kind} separators "
                ),
                best,
                Part(f" leads with {decibels(others[0].value)}{unit(board)}."),
            ),
            (
                Part(
                    "A metric that ranks both kinds is missing here; the same command with "
                    "--metrics report,visqol adds it."
                ),
            ),
        ]
    if leader.kind or len({report_models[row.model].generative for row in board.rows}) < 2:
        return []
    return [
        (
            Part(
                f"Masking and generative separators are ranked by {label}, because SDR ranks such "
                "pairs in the opposite order to listeners; SDR is shown within each kind."
            ),
        )
    ]


def _models(names: tuple[str, ...], total: int) -> list[Part]:
    parts: list[Part] = []
    for place, name in enumerate(names):
        last = place == len(names) - 1 and total == len(names)
        if place:
            parts.append(Part(" and " if last else ", "))
        parts.append(Part(name, name))
    if total > len(names):
        parts.append(Part(f" and {total - len(names)} more"))
    return parts


def _certainty(
    rivals: list[Row], pairs: list[Pair | None], tied: tuple[str, ...], unit: str
) -> list[tuple[Part, ...]]:
    if len(rivals) < 2 or pairs[0] is None:
        return []
    pair = pairs[0]
    digits = 1 if abs(pair.difference) >= 1 else 2
    apart = f"{abs(pair.difference):.{digits}f}"
    side = "ahead of" if pair.ahead else "behind"
    place = "level with" if apart == "0.00" else f"{apart}{unit} {side}"
    interval = (
        f" (95% interval {signed(pair.low, digits)} to {signed(pair.high, digits)})"
        if pair.low is not None and pair.high is not None
        else ""
    )
    sentence = [
        Part(f"Over {count(pair.tracks, 'track')} it is {place} "),
        Part(pair.second, pair.second),
        Part(f"{interval} and better on {pair.win_rate:.0%} of them"),
    ]
    if pair.distinguishable:
        sentence.append(Part(f" (p\u00a0{_p(pair.p)} after correction for all pairs)."))
    else:
        seen = (
            "; the two are not distinguishable, since this many tracks reliably show only "
            f"differences from {pair.detectable:.2f}{unit} up."
            if pair.detectable is not None
            else "."
        )
        sentence.append(Part(seen if tied else "."))
    return [tuple(sentence)]


def _against(
    rivals: list[Row], tests: PairwiseTests, baseline: str | None, unit: str
) -> list[tuple[Part, ...]]:
    """The competing models compared with the baseline."""
    if baseline is None:
        return []
    named = Part(baseline, baseline)
    found = [tests.pair(row.model, baseline) for row in rivals if row.model != baseline]
    pairs = [pair for pair in found if pair is not None]
    if not pairs:
        return [(Part("Nothing here can be compared with "), named, Part("."))]
    better = sum(pair.distinguishable and pair.ahead for pair in pairs)
    worse = sum(pair.distinguishable and not pair.ahead for pair in pairs)
    counts = [
        Part(f"Of {count(len(pairs), 'separator')} compared with "),
        named,
        Part(
            f", {better} {_are(better)} better, {worse} {_are(worse)} worse and "
            f"{len(pairs) - better - worse} not distinguishable"
        ),
    ]
    lead = pairs[0]
    if lead.first == rivals[0].model:
        counts += [
            Part("; "),
            Part(lead.first, lead.first),
            Part(f" differs from it by {signed(lead.difference)}{unit}"),
        ]
    return [(*counts, Part("."))]


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _p(value: float) -> str:
    return f"=\u00a0{value:.3f}" if value >= 0.001 else "<\u00a00.001"


def _gain(
    leader: Row, tests: PairwiseTests, report_models: dict[str, ReportModel], unit: str
) -> list[tuple[Part, ...]]:
    """The gain over the unprocessed mixture."""
    idle = [name for name in tests.models if report_models[name].adapter == "mixture"]
    pair = tests.pair(leader.model, idle[0]) if idle else None
    if pair is None or not pair.ahead:
        return []
    return [
        (Part(f"It is {decibels(abs(pair.difference), 1)}{unit} above the unprocessed mixture."),)
    ]


def _bounds(
    board: Leaderboard, leader: Row | None, report_models: dict[str, ReportModel]
) -> list[tuple[Part, ...]]:
    oracles = [
        row for row in board.rows if row.value is not None and report_models[row.model].oracle
    ]
    if not oracles or oracles[0].value is None:
        return []
    name = oracles[0].model
    words = [Part("The oracle "), Part(name, name), Part(", which sees the true stems, reaches ")]
    if leader is None or leader.value is None:
        return [(*words, Part(f"{decibels(oracles[0].value)}{unit(board)}."))]
    gap = oracles[0].value - leader.value
    if gap <= 0 or not board.higher_is_better:
        return []
    return [(*words, Part(f"{gap:.1f}{unit(board)} more: that is the headroom."))]


def _level(pair: Pair) -> bool:
    """Whether the test finds no difference and the interval contains zero."""
    return not pair.distinguishable and _holds_zero(pair)


def _holds_zero(pair: Pair) -> bool:
    """Whether the interval of the difference contains zero."""
    return (pair.low or 0.0) <= 0 <= (pair.high or 0.0)


def _cost(
    leader: Row, level: Sequence[Pair], report_models: dict[str, ReportModel]
) -> list[tuple[Part, ...]]:
    cost = report_models[leader.model].cost
    if cost.real_time_factor is None:
        return []
    memory = f" and uses {megabytes(cost.peak_bytes)} of memory" if cost.peak_bytes else ""
    sentence = [
        Part(leader.model, leader.model),
        Part(f" runs {_pace(cost.real_time_factor)}{memory}"),
    ]
    cheap = [
        (found, pair.second)
        for pair in level
        if (found := report_models[pair.second].cost.real_time_factor) is not None
        and found < cost.real_time_factor / 1.5
    ]
    if cheap:
        factor, name = min(cheap)
        sentence += [
            Part("; "),
            Part(name, name),
            Part(
                f", not distinguishable from it, is {cost.real_time_factor / factor:.1f} times faster"
            ),
        ]
    return [(*sentence, Part("."))]


def _pace(factor: float) -> str:
    """``14x faster than real time``."""
    return (
        f"{speed(factor)} faster than real time"
        if factor < 1
        else f"{factor:.2g}x slower than real time"
    )


def _training(
    leader: Row, report_models: dict[str, ReportModel], board: Leaderboard
) -> list[tuple[Part, ...]]:
    if board.series.dataset not in report_models[leader.model].trained_on:
        return []
    return [
        (
            Part("Note: "),
            Part(leader.model, leader.model),
            Part(
                f" was trained on {board.series.dataset}, so this rank may not carry over to new music."
            ),
        )
    ]
