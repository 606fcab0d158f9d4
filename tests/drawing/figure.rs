//! A drawing in a figure: its recipe has it, and makes the same picture again.

use marginscope::export::Format;
use marginscope::figure::{self as figures, Ink, Picture, Recipe};

use super::*;

#[test]
fn a_figure_with_a_drawing_is_made_again_by_its_own_recipe() {
    let recipe = Recipe {
        experiment: experiment(DIGITS),
        picture: Picture {
            step: Some(20),
            drawn: Ink::try_from(seven()).ok(),
            ..Picture::default()
        },
    };
    let file = |recipe: &Recipe| {
        let played = figures::replay(recipe, 1, |_, _| true).expect("a run");
        figures::file(&played, recipe, Format::Svg, 300.0).expect("a figure")
    };
    let bytes = file(&recipe);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains("drawn: "), "the star has its words");
    let own = Format::Svg.recipe(&bytes).expect("a recipe");
    let own = Recipe::from_toml(&own, "figure").expect("a recipe that can be read");
    assert_eq!(own.picture.drawn, recipe.picture.drawn);
    assert!(file(&own) == bytes, "other bytes");

    let without = Recipe {
        picture: Picture {
            drawn: None,
            ..recipe.picture
        },
        ..recipe
    };
    assert!(!String::from_utf8_lossy(&file(&without)).contains("drawn: "));
}
