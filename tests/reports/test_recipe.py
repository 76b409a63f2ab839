"""Settings that cells share and do not have alike: a difference may be theirs, and every answer says so."""

import pytest

from reports.contest import conclusions, contest
from reports.duel import as_words, duel
from reports.notes import notes
from reports.page import page
from reports.tables import leaderboard, recipes

ALIKE = [20.0, 20.5, 20.2]


@pytest.fixture
def unequal(builder):
    """hinge as most are, lsgan with other rates, wgan_gp (of the builder) with n_d 5 and no dropout."""
    for algorithm, more in (("dcgan", {}), ("hinge", {}), ("lsgan", {"lr_g": 1e-3})):
        builder.changed(algorithm, ALIKE, **more)
    builder.trials(wgan_gp=ALIKE)
    return builder


def test_two_algorithms_show_the_settings_that_they_share_and_do_not_have_alike(unequal):
    found = duel(unequal.results(), "wgan_gp", "lsgan")
    assert found.settings.T.to_dict("list") == {
        "dropout": ["0.0", "0.3"], "lr_g": ["0.0002", "0.001"], "n_d": ["5", "1"],
    }, "lambda_gp is wgan_gp's own, bn is alike"  # fmt: skip
    assert "lr_g                         0.0002      0.001" in as_words(found).splitlines()
    assert found.caution == (
        "They differ in dropout, lr_g and n_d too, which may be what decides: "
        "run wgan_gp as lsgan bn=off lr_g=0.001 is: --set dropout=0.3 --set lr_g=0.001 --set n_d=1."
    )


def test_a_cell_that_has_them_alike_is_named_if_it_ran(unequal):
    unequal.changed("lsgan", ALIKE, n_d=5, dropout=0.0)
    found = duel(unequal.results(), "lsgan bn=off lr_g=0.001", "wgan_gp")
    assert found.twin == "lsgan bn=off n_d=5 dropout=0.0"
    assert found.caution.endswith(": compare lsgan bn=off n_d=5 dropout=0.0, which has them as wgan_gp bn=off has.")
    assert " ".join(as_words(found).split()).endswith(found.caution)
    assert duel(unequal.results(), found.twin, "wgan_gp").caution == ""


def test_batch_norm_is_a_setting_between_algorithms_and_the_question_within_one(builder):
    builder.trial("dcgan", True, 0, 20.0, pictures=False)
    builder.trials(dcgan=ALIKE, hinge=ALIKE)
    other = duel(builder.results(), "dcgan bn=on", "hinge")
    assert "bn                               on        off" in as_words(other)
    assert other.caution.endswith("compare dcgan bn=off, which has them as hinge bn=off has.")
    back = duel(builder.results(), "hinge", "dcgan bn=on")
    assert back.caution.endswith("run hinge as dcgan bn=on is: --bn on.")
    same = duel(builder.results(), "dcgan bn=on", "dcgan bn=off")
    assert same.settings.empty
    assert same.caution == ""


def test_within_one_algorithm_the_value_that_no_label_says_is_shown(builder):
    builder.trials(dcgan=ALIKE)
    builder.changed("dcgan", ALIKE, dropout=0.0)
    found = duel(builder.results(), "dcgan bn=off", "dcgan bn=off dropout")
    assert found.settings.T.to_dict("list") == {"dropout": ["0.3", "0.0"]}
    assert found.caution == ""


def test_of_many_the_leaderboard_names_what_differs_and_the_table_who(unequal):
    results = unequal.results()
    found = recipes(results)
    # dropout, lr_g and n_d are other in one cell each; of as many they keep the order of the config.
    assert found.attrs["usual"] == {"dropout": "0.3", "lr_g": "0.0002", "n_d": "1"}
    assert found[["label", "recipe"]].to_numpy().tolist() == [
        ["lsgan bn=off lr_g=0.001", "lr_g 0.001"], ["wgan_gp bn=off", "dropout 0.0, n_d 5"],
    ]  # fmt: skip
    assert notes(found) == ["Most cells have dropout 0.3, lr_g 0.0002 and n_d 1."]
    (said,) = (note for note in notes(leaderboard(results)) if note.startswith("Algorithms differ"))
    assert "(dropout, lr_g and n_d)" in said
    (section,) = page(results).sections
    assert len(section.recipes.lines) == 2


def test_one_algorithm_whose_labels_say_it_needs_no_note(builder):
    builder.trials(dcgan=ALIKE)
    builder.changed("dcgan", ALIKE, dropout=0.0)
    assert recipes(builder.results()).empty
    assert not any("settings that all have" in note for note in notes(leaderboard(builder.results())))


def test_algorithms_that_are_set_alike_need_none_either(builder):
    builder.trials(dcgan=ALIKE, hinge=ALIKE)
    results = builder.results()
    assert recipes(results).empty
    assert not any("settings that all have" in note for note in notes(leaderboard(results)))
    assert not any("may be what decides" in said for said in conclusions(contest(results, "dcgan")))


def test_against_a_base_the_cells_that_are_set_otherwise_are_counted(unequal):
    unequal.changed("dcgan", ALIKE, dropout=0.5)  # its label says so, and its algorithm is the base's
    *_, said = conclusions(contest(unequal.results(), "dcgan bn=off"))
    assert said == (
        "2 cells of another algorithm with other settings too (lr_g, dropout and n_d), which may be what decides: "
        "'bench compare A B' says which."
    )
