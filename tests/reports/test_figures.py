"""Figures: labelled, deterministic, with a cell's colour the same everywhere."""

import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import pytest
from matplotlib import pyplot
from matplotlib.patches import Rectangle

from bench.errors import BenchError
from bench.points import Table
from bench.tasks import TASKS
from reports import figures, looks
from reports.comparison_figures import LABELLED
from reports.curves import budgets as bought
from reports.notes import notes
from reports.plots import budgets, dots, effects, pairs
from reports.tables import leaderboard, protocols

FIGURES = {
    "fid-images": lambda results, group=None: figures.fid_curve(results, "images", group),
    "fid-seconds": lambda results, group=None: figures.fid_curve(results, "seconds", group),
    "fid-g_updates": lambda results, group=None: figures.fid_curve(results, "g_updates", group),
    "is": lambda results, group=None: figures.is_curve(results, "images", group),
    "losses": lambda results, group=None: figures.losses(results, "images", group),
    "dots": figures.leaderboard_dots,
    "bn": figures.bn_pairs,
    "matrix": figures.pairwise_matrix,
    "effects": figures.effect_sizes,
    "budget": lambda results, group=None: figures.budget_bands(results, "seconds", group),
    "pareto": figures.pareto_front,
}


@pytest.fixture(params=FIGURES)
def make(request):
    return FIGURES[request.param]


@pytest.fixture(scope="module", params=FIGURES)
def figure_and_svg(request, three_seeds):
    figure = FIGURES[request.param](three_seeds)
    return figure, figures.to_svg(figure, "a"), lambda: figures.to_svg(FIGURES[request.param](three_seeds), "a")


def test_every_axis_is_labelled(figure_and_svg):
    axes = figure_and_svg[0].axes
    assert all(ax.get_ylabel() for ax in axes)
    assert axes[-1].get_xlabel()


def test_seconds_carry_their_unit(three_seeds):
    assert figures.fid_curve(three_seeds, "seconds").axes[0].get_xlabel() == "training time (s)"


def test_the_same_figure_gives_the_same_svg(figure_and_svg):
    _, svg, again = figure_and_svg
    assert again() == svg


def test_a_png_is_deterministic_too(three_seeds):
    first, second = (figures.to_png(figures.leaderboard_dots(three_seeds)) for _ in range(2))
    assert first.startswith(b"\x89PNG")
    assert first == second


def test_svg_is_one_element_without_date_version_or_address_to_load(figure_and_svg):
    _, svg, _ = figure_and_svg
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not re.search(r"atplotlib v|<metadata|DOCTYPE|20\d\d-\d\d", svg)
    assert all(value.startswith("#") for e in root.iter() for key, value in e.items() if key.endswith("href"))


def test_ids_of_two_figures_on_one_page_do_not_clash_and_resolve(three_seeds):
    ids = []
    for name in ("a", "b"):
        svg = figures.to_svg(figures.fid_curve(three_seeds), name)
        here = re.findall(r'\bid="([^"]+)"', svg)
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg)) <= set(here)
        ids += here
    assert len(ids) == len(set(ids))


def test_no_pyplot_figure_and_no_setting_is_left_behind(three_seeds):
    before = dict(mpl.rcParams)
    figures.to_png(figures.fid_curve(three_seeds))
    assert pyplot.get_fignums() == []
    assert dict(mpl.rcParams) == before


def test_a_cell_has_one_colour_in_every_group_and_figure(two_protocols):
    seen = looks.looks(two_protocols)
    assert len({(look.number, look.dash) for look in seen.values()}) == len(seen)
    colour = seen["dcgan bn=on"].colour
    for group in protocols(two_protocols):
        for figure in (figures.leaderboard_dots, figures.fid_curve):
            drawn = figure(two_protocols, protocol=group)
            assert colour in figures.to_svg(drawn)


def test_an_algorithm_has_one_colour_and_its_cells_differ_in_their_dash(builder):
    names = ("dcgan", "lsgan", "hinge", "ragan", "wgan", "nsgan", "mmgan")
    for name in names:
        for bn in (True, False):
            builder.trial(name, bn, 0, 20.0, pictures=False)
    seen = looks.looks(builder.results())
    for name in names:
        assert seen[f"{name} bn=on"].colour == seen[f"{name} bn=off"].colour
        assert seen[f"{name} bn=on"].dash != seen[f"{name} bn=off"].dash
    assert len({look.colour for look in seen.values()}) == len(names)


def test_real_digits_are_marked(three_seeds):
    assert "real examples 0.14" in figures.to_svg(figures.leaderboard_dots(three_seeds))
    assert "real examples 0.14" in figures.to_svg(figures.fid_curve(three_seeds))
    assert "real examples 9.82" in figures.to_svg(figures.is_curve(three_seeds))


def test_losses_of_any_size_have_plain_numbers(three_seeds):
    curves = three_seeds.curves
    huge = curves.assign(value=curves["value"].where(curves["metric"] != "loss_g", 1000 * (curves["value"] - 1)))
    figure = figures.losses(three_seeds.but(points=Table(huge)))
    labels = [text.get_text() for text in figure.axes[1].get_yticklabels()]
    assert {"-100", "0", "100"} <= set(labels)
    assert all(re.fullmatch(r"-?\d+", label) for label in labels)


@pytest.mark.parametrize("task", TASKS)
def test_real_examples_are_marked_whatever_the_task_calls_them(task, three_seeds):
    names = {"real train digits": TASKS[task].real}
    other = three_seeds.but(trials=three_seeds.trials.replace({"name": names, "cell": names}))
    assert "real examples 0.14" in figures.to_svg(figures.leaderboard_dots(other))


def test_a_diverged_trial_is_marked_where_it_stopped(three_seeds, one_seed):
    assert "diverged after this" in figures.to_svg(figures.fid_curve(three_seeds))
    assert "diverged after this" not in figures.to_svg(figures.fid_curve(one_seed))


def test_samples_in_training_and_at_the_end_are_told_apart(three_seeds):
    svg = figures.to_svg(figures.fid_curve(three_seeds))
    assert "in training, 2k samples" in svg
    assert "at the end, 10k samples" in svg


def test_equal_sample_counts_make_one_curve_to_the_end(builder):
    builder.protocol(2_000, "2,000 steps")
    run_id = builder.trial("dcgan", True, 0, 21.0)
    builder.points = [p for p in builder.points if p[2] != "mnist_fid_10k"]
    for metric, value in {"fid": 21.0, "fid_sd": 0.3, "fid_second": 9.0}.items():
        builder.points.append((run_id, 2000, f"mnist_{metric}_2k", value, 2000, 2000, 128_000, 198.0))
    results = builder.results()
    assert figures.scores_during(results, "fid") is None
    line = figures.fid_curve(results).axes[0].lines[0]
    assert line.get_xdata()[-1] == 128_000
    assert line.get_ydata()[-1] == 21.0


def test_a_wide_interval_does_not_squeeze_the_dots(builder):
    # Two seeds, 10 apart: the 95 % interval reaches 25 + 12.7 * 5 = 88.5.
    builder.trial("dcgan", True, 0, 20.0)
    builder.trial("dcgan", True, 1, 30.0)
    low, high = figures.leaderboard_dots(builder.results()).axes[0].get_xlim()
    assert low == 0
    assert 30 < high < 60


def test_figures_of_results_without_scores_or_curves_are_empty_and_labelled(builder, make):
    builder.skip()
    builder.trial("dcgan", True, 0, None)
    builder.points.clear()
    fig = make(builder.results())
    assert all(ax.get_ylabel() for ax in fig.axes)
    assert figures.to_png(fig)


def test_an_unknown_axis_is_an_error_that_lists_the_known(three_seeds):
    with pytest.raises(BenchError, match="no axis 'epochs'; allowed is images, seconds, g_updates, d_updates"):
        figures.fid_curve(three_seeds, "epochs")


def test_names_with_dollar_signs_and_markup_are_drawn_as_they_are(builder):
    builder.trial("dcgan", True, 0, 20.0, cell="a$b_{$ <script>")
    svg = figures.to_svg(figures.leaderboard_dots(builder.results()))
    assert "a$b_{$ &lt;script&gt;" in svg


def framed(figure):
    """Places of the squares that have an edge."""
    squares = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_edgecolor()[3]]
    return {tuple(map(round, square.get_center())) for square in squares}


def test_a_matrix_shows_seeds_won_and_frames_what_is_separable(three_seeds):
    # First dcgan bn=off, best in all seeds; wgan_gp is lower than nobody, and its third seed diverged.
    figure = figures.pairwise_matrix(three_seeds)
    axes = figure.axes[0]
    texts = {(round(t.get_position()[0]), round(t.get_position()[1])): t for t in axes.texts}
    assert {place: text.get_text() for place, text in texts.items()} == {
        (1, 0): "3/3", (2, 0): "3/3", (0, 1): "0/3", (2, 1): "3/3", (0, 2): "0/3", (1, 2): "0/3",
    }  # fmt: skip
    assert framed(figure) == {(1, 0), (0, 1)}


def test_a_matrix_without_room_for_numbers_frames_what_is_separable_too(builder):
    for place in range(LABELLED + 1):
        shift = 100 if place == LABELLED else 0
        values = [20 + shift + (place * seed) % 7 + place / 1000 for seed in range(6)]
        builder.trials(**{f"a{place:02}": values})
    figure = figures.pairwise_matrix(builder.results())
    assert not figure.axes[0].texts
    last = LABELLED
    assert framed(figure) == {(i, last) for i in range(last)} | {(last, i) for i in range(last)}


def test_bands_go_from_the_lowest_to_the_highest_seed(builder):
    builder.trial("dcgan", True, 0, 20.0)
    builder.trial("dcgan", True, 1, 30.0)
    top, bottom = figures.budget_bands(builder.results()).axes
    band = top.collections[0].get_paths()[0].get_extents()
    values = [point[3] for point in builder.points if point[2] == "mnist_fid_2k"]
    assert (band.y0, band.y1) == pytest.approx((min(values), max(values)))
    assert bottom.get_ylabel() == "best FID so far"
    assert list(bottom.lines[0].get_ydata()) == sorted(bottom.lines[0].get_ydata(), reverse=True)


def test_a_critical_difference_diagram_takes_three_cells_and_five_seeds(builder, three_seeds):
    with pytest.raises(BenchError, match="takes 3 cells and 5 seeds"):
        figures.critical_difference(three_seeds)
    for place, algorithm in enumerate(("dcgan", "lsgan", "hinge")):
        for seed in range(6):
            builder.trial(algorithm, False, seed, 10.0 * (place + 1) + seed, pictures=False)
    figure = figures.critical_difference(builder.results())
    assert "dcgan bn=off (1.00)" in figures.to_svg(figure)
    assert "hinge bn=off (3.00)" in figures.to_svg(figure)
    assert pyplot.get_fignums() == []


def test_long_names_leave_half_of_a_critical_difference_diagram_to_its_axis(builder):
    names = ("dcgan", "lsgan", "hinge", "minibatch_discrimination", "a_name_as_long_as_that_one_is")
    builder.trials(**{name: [10.0 * i + (i * seed) % 3 for seed in range(6)] for i, name in enumerate(names, start=1)})
    builder.changed("nsgan", [35.0, 36.0, 34.0, 35.5, 36.5, 37.0], lr_d=0.0004, lr_g=0.0001)
    figure = figures.critical_difference(builder.results())
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_position().width > 0.5
    texts = [text for text in axes.texts if "(" in text.get_text()]
    assert len(texts) == 6
    assert {text.get_color() for text in texts} == {looks.INK}, "sky and amber are too pale for letters"
    boxes = [text.get_window_extent() for text in texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_front_of_one_cell_is_ringed_and_no_line_is_told_of(builder):
    builder.trial("dcgan", False, 0, 10.0, seconds=10.0)
    builder.trial("lsgan", False, 0, 20.0, seconds=20.0)
    figure = figures.pareto_front(builder.results())
    ring = figure.axes[0].lines[0]
    assert (ring.get_xdata().tolist(), ring.get_marker()) == ([10.0], "o")
    entry = next(h for h in figure.legends[0].legend_handles if h.get_label() == "not beaten in both")
    assert entry.get_linestyle() == "None"


def test_a_long_name_does_not_make_a_legend_one_column(builder):
    for i in range(12):
        cell = "dcgan bn=on augment=diffaugment lr_d=0.0004" if i == 0 else f"dcgan {i}"
        builder.trial("dcgan", True, 0, 20.0 + i, cell=cell, config={"lr_d": i}, pictures=False)
    figure = figures.losses(builder.results())
    figure.canvas.draw()
    lefts = {round(text.get_window_extent().x0) for text in figure.legends[0].get_texts()}
    assert len(lefts) == 2
    assert all(ax.get_position().height > 0.2 for ax in figure.axes)


def test_captions_of_single_seeds_tell_of_no_mean_band_or_bar(one_seed):
    group = protocols(one_seed)[0]
    drawn = [*dots(one_seed, group, "g1"), *budgets(one_seed, group, "g1")[:-1]]
    for plot in drawn:
        assert "one seed of its cell" in plot.caption
        assert not any(word in plot.caption for word in ("mean", "band", "bar"))


def test_cells_of_too_few_seeds_are_left_out_of_the_diagram_and_named(builder):
    builder.trials(dcgan=[1.0, 2, 3, 4, 5], lsgan=[2.0, 3, 4, 5, 4], hinge=[9.0, 9, 9, 9, None], wgan=[7.0, 8.0])
    svg = figures.to_svg(figures.critical_difference(builder.results()))
    assert "hinge bn=off" in svg
    assert "wgan bn=off" not in svg
    (plot,) = [plot for plot in pairs(builder.results(), protocols(builder.results())[0], "g1") if "-cd" in plot.name]
    assert plot.caption.endswith("Left out, since they share too few seeds with the others: wgan bn=off.")


def test_captions_say_what_intervals_are(three_seeds):
    group = protocols(three_seeds)[0]
    caption = dots(three_seeds, group, "g1")[0].caption
    assert "a bar the 95 % interval of the mean (Student t over seeds)" in caption
    assert "a ring one seed" in caption
    for plot in effects(three_seeds, group, "g1"):
        assert "95 % intervals (Student t over seeds)" in plot.caption or "trials of one seed" in plot.caption
    for plot in budgets(three_seeds, group, "g1")[:-1]:
        assert "the band from the lowest to the highest" in plot.caption


def test_seconds_of_several_devices_are_not_joined_and_every_caption_says_so(builder):
    builder.trial("dcgan", False, 0, 30.0, seconds=20.0, device="H200")
    builder.trial("lsgan", False, 0, 20.0, seconds=500.0)
    results = builder.results()
    group = protocols(results)[0]
    said = [plot.caption for plot in budgets(results, group, "g1") if plot.name in ("g1-budget-seconds", "g1-pareto")]
    assert len(said) == 2
    for words in said:
        assert "Seconds are of different devices (H200, cpu (2 threads, x86_64)) and do not compare" in words
    for table in (leaderboard(results), bought(results)):
        assert any(note.startswith("Seconds are of different devices (H200, cpu") for note in notes(table))
    assert "not beaten in both" not in figures.to_svg(figures.pareto_front(results))
    assert not figures.pareto_front(results).axes[0].lines[0].get_xdata().size


def test_mixed_protocols_are_refused(two_protocols, make):
    with pytest.raises(BenchError, match="must not share"):
        make(two_protocols)


def test_long_names_leave_room_for_the_axes(builder, make):
    settings = " ".join(f"some_setting_{i}=0.000{i}" for i in range(6))
    for bn in (True, False):
        builder.trial("dcgan", bn, 0, 20.0, cell=f"dcgan bn={'on' if bn else 'off'} {settings}")
    fig = make(builder.results())
    figures.to_png(fig)  # lays it out; warns, hence fails, when the axes vanish
    assert all(ax.get_position().width > 0.45 and ax.get_position().height > 0.2 for ax in fig.axes)
