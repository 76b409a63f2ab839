"""What the report says of rows that are no GANs, and of pictures made from pictures."""

from reports import html
from reports.notes import notes
from reports.summary import summary
from reports.tables import leaderboard, pairwise
from reports.text import as_text


def test_a_row_that_is_no_gan_is_shown_and_never_named_the_best(build):
    results = build(3)
    best = results.trials["cell"] == "dcgan bn=off"
    results.trials.loc[best, "no_gan"] = "yes"
    said = " ".join(summary(results))
    assert "Lowest mean FID: dcgan bn=on" in said
    assert "dcgan bn=off 17.90" in said.partition("(for reference: ")[2].partition(")")[0]
    board = leaderboard(results)
    assert board.loc[board["no_gan"], "label"].tolist()[0] == "real train digits"
    assert "dcgan bn=off is no GAN; it stands here for reference." in notes(board)


def test_pictures_of_images_from_images_say_what_their_lines_are(build):
    results = build(1)
    assert "The same latents from the first step to the last." in html.render(results)
    page = html.render(results.but(trials=results.trials.assign(track="image-to-image")))
    assert "Rows: input, output, target" in page
    assert "The same sources from the first step to the last." in page


def said(builder):
    return " ".join(summary(builder.results()))


def test_a_verdict_by_signs_is_said_though_one_seed_alone_has_a_difference(builder):
    builder.trials(dcgan=[10.0 + seed for seed in range(8)])
    builder.changed("dcgan", [50.0, *[None] * 7], bn=True)
    text = said(builder)
    assert "dcgan without BN is better than with BN: so in 8 of 8 seeds" in text
    assert "single seed" not in text


def test_a_survivor_is_not_called_a_single_seed(builder):
    builder.trials(dcgan=[5.0, None, None])
    text = said(builder)
    assert "dcgan bn=off with 5.00 in the one of its 3 seeds that finished; 2 of its 3 seeds diverged." in text
    assert "single seed" not in text
    board = leaderboard(builder.results())
    assert "1 of 3 finished" in as_text(board, 120)
    assert "5.00*" in as_text(board, 120)
    assert "One seed gives no verdict" not in as_text(board, 120)


def test_the_lowest_mean_says_how_many_of_its_seeds_diverged(builder):
    builder.references()
    builder.trials(dcgan=[5.0, 5.1, 5.2, None, None], lsgan=[20.0, 20.3, 20.1, 20.2, 20.4])
    assert "dcgan bn=off with 5.10 [4.85, 5.35] over 3 seeds; 2 of its 5 seeds diverged (for" in said(builder)


def test_cells_without_common_seeds_are_not_called_alike(builder):
    builder.trials(dcgan=[10.0, 10.1, 10.2], lsgan=[30.0, 30.2, 30.1])
    for first, algorithm in ((10, "hinge"), (20, "wgan")):
        for seed in range(first, first + 3):
            builder.trial(algorithm, False, seed, 40.0 + seed, pictures=False)
    text = said(builder)
    better = (
        "dcgan bn=off is better than lsgan bn=off (1 of the other 3); not compared, for want of two seeds that both"
    )
    assert better in text
    assert "hinge bn=off and wgan bn=off." in text
    assert "not separable" not in text


def test_a_mean_that_is_lower_by_other_seeds_is_not_blamed_on_divergence(builder):
    """dcgan has two easy seeds more; in those that both have, lsgan is better, and nothing diverged."""
    builder.trials(dcgan=[30.0, 31.0, 32.0, 1.0, 1.2], lsgan=[25.0, 26.1, 27.0], hinge=[90.0, 91.0, 92.0])
    text = said(builder)
    assert "Lowest mean FID: dcgan bn=off" in text
    assert "Over the seeds that both have, " in text
    assert "lsgan bn=off did better than dcgan bn=off" in text
    assert "diverged too" not in text


def test_a_cell_of_one_seed_is_not_among_those_that_are_beaten(builder):
    builder.trials(dcgan=[1.0], lsgan=[10.0, 10.1, 10.2], hinge=[50.0, 50.3, 50.2], wgan=[70.0, 70.1, 70.3])
    text = said(builder)
    assert "Lowest FID: dcgan bn=off with 1.00 in its one seed" in text
    assert "lsgan bn=off is better than each of the other 2 with two seeds or more" in text


def test_small_scores_keep_their_digits_in_sentences(builder):
    builder.trials(dcgan=[0.0031, 0.0032, 0.003], lsgan=[0.0062, 0.0064, 0.006])
    text = said(builder)
    assert "dcgan bn=off with 0.0031 [0.0029, 0.0033] over 3 seeds" in text
    assert "better than lsgan bn=off by 0.0031 [0.0029, 0.0033] FID" in text
    assert "-0.0031" in as_text(pairwise(builder.results()), 120)


def test_cells_no_better_than_an_answer_without_training_are_named(builder):
    for name, fid in (("real train digits", 0.1), ("identity", 15.0), ("untrained generator", 25.0)):
        builder.row(kind="reference", name=name, cell=name, fid=fid, is_=2.0, year=None)
    builder.trials(dcgan=[10.0], lsgan=[20.0], hinge=[30.0])
    text = said(builder)
    assert "Only dcgan bn=off scores better than the answer 'identity', which takes no training." in text
    better = "Only dcgan bn=off and lsgan bn=off score better than an untrained generator; what the others score says"
    assert better in text
    assert "real train digits'" not in text


def test_of_many_cells_a_sentence_names_the_best_and_counts_the_others(builder):
    """Seven cells far apart: the first beats the others; of an answer without training the two beyond it are told."""
    names = ("dcgan", "lsgan", "hinge", "wgan", "wgan_gp", "sngan", "began")
    for i, name in enumerate(names):
        builder.trials(**{name: [10.0 * i + 1, 10.0 * i + 1.5, 10.0 * i + 2]})
    builder.row(kind="reference", name="untrained generator", cell="untrained generator", fid=45.0, is_=2.0, year=None)
    builder.trials(ragan=[1.2, 1.4, 2.1])
    text = said(builder)
    assert "lsgan bn=off, hinge bn=off, wgan bn=off, wgan_gp bn=off and 2 more (6 of the other 7)" in text
    assert "not separable: ragan bn=off." in text
    assert "sngan bn=off and began bn=off score no better than an untrained generator; that says nothing yet." in text


def test_no_effect_is_said_of_cells_and_of_their_mean(builder):
    names = ("dcgan", "lsgan", "hinge")
    for i, name in enumerate(names):
        builder.trials(**{name: [20.0 + i, 21.0 + i, 22.0 + i]})
        builder.changed(name, [21.1 + i, 20.1 + i, 22.6 + i], bn=True)
    assert (
        "No effect of changing bn off to on is established for dcgan, hinge and lsgan, nor on the mean of 3."
        in said(builder)
    )


def test_single_seeds_are_said_once_for_all_groups(builder):
    builder.trials(dcgan=[10.0], lsgan=[20.0])
    builder.protocol(1_000, "20 steps")
    builder.trials(dcgan=[300.0])
    page = html.render(builder.results())
    assert page.count("from which no verdict follows") == 1
    assert "Every cell has a single seed" in page
    assert page.count("There is one cell and nothing to compare it with.") == 1
