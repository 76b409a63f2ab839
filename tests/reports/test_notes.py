"""What the notes under a table say of cells that one budget trains unequally."""

import pytest

from reports.contest import contest
from reports.notes import notes
from reports.tables import leaderboard

START = "Under this budget cells differ in "


def told(builder, table=leaderboard):
    """What cells differ in, or nothing."""
    said = [note for note in notes(table(builder.results())) if note.startswith(START)]
    assert len(said) <= 1
    return said[0].removeprefix(START) if said else ""


def test_cells_alike_are_told_nothing_of(builder):
    builder.references()
    builder.trials(dcgan=[10.0, 11.0], lsgan=[12.0, 13.0])
    assert told(builder) == ""


def test_fewer_updates_of_g_are_told_by_name(builder):
    builder.trials(dcgan=[10.0, 11.0], wgan_gp=[30.0, 31.0])
    assert told(builder) == "G updates (400 in wgan_gp bn=off; 2,000 in dcgan bn=off)."


def test_of_many_cells_their_number_is_told(builder):
    builder.trials(**{name: [10.0] for name in ("dcgan", "lsgan", "hinge", "nsgan")}, wgan_gp=[30.0])
    assert told(builder) == "G updates (400 in wgan_gp bn=off; 2,000 in 4 cells)."


def test_larger_batches_see_more_images(builder):
    builder.trials(dcgan=[10.0], lsgan=[11.0])
    builder.trial("dcgan_paper", True, 0, 9.0, images=256_000)
    assert told(builder) == "real images seen (128,000 in dcgan bn=off and lsgan bn=off; 256,000 in dcgan_paper bn=on)."


def test_in_epochs_it_is_updates_that_differ(builder):
    """Of 60,000 digits 937 batches of 64 leave 32 out, 468 of 128 leave 96: no difference worth a word."""
    builder.trial("dcgan", False, 0, 10.0, d_updates=937, g_updates=937, images=59_968)
    builder.trial("dcgan_paper", True, 0, 9.0, d_updates=468, g_updates=468, images=59_904)
    both = "(468 in dcgan_paper bn=on; 937 in dcgan bn=off)"
    assert told(builder) == f"D updates {both} and G updates {both}."


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_trial_cut_short_is_no_other_budget(builder, status):
    builder.trials(dcgan=[10.0, 11.0])
    builder.trial("lsgan", False, 0, None, status=status)
    builder.trial("lsgan", False, 1, 12.0)
    assert told(builder) == ""


def test_what_has_no_discriminator_has_no_updates_of_it_to_compare(builder):
    builder.trials(dcgan=[10.0])
    builder.trial("vae", True, 0, 30.0, d_updates=0, no_gan="yes")
    assert told(builder) == ""


def test_a_cell_against_several_tells_of_these_alone(builder):
    builder.trials(dcgan=[10.0, 11.0], lsgan=[11.0, 12.0], hinge=[12.0, 13.0], wgan_gp=[30.0, None])
    assert told(builder, lambda results: contest(results, "dcgan", ["lsgan", "hinge"])) == ""
    against_all = told(builder, lambda results: contest(results, "dcgan"))
    assert against_all == told(builder)
    assert against_all.startswith("G updates (400 in wgan_gp bn=off; 2,000 in ")


def test_nothing_finished_has_no_counts(builder):
    builder.trials(dcgan=[None, None], lsgan=[None, None])
    assert told(builder, lambda results: contest(results, "dcgan")) == ""
