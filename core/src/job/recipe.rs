//! The recipes that are built in.

const RECIPES: [(&str, &str); 1] = [("r1-mini", include_str!("recipes/r1-mini.toml"))];

/// All recipes: name and text, a job file with comments.
pub fn recipes() -> &'static [(&'static str, &'static str)] {
    &RECIPES
}

/// The text of a recipe.
pub fn recipe(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
