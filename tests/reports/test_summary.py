"""What the report says of rows that are no GANs, and of pictures made from pictures."""

from reports import html
from reports.columns import notes
from reports.summary import summary
from reports.tables import leaderboard


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
    assert "Lines of input, output and target" in page
    assert "The same sources from the first step to the last." in page
