//! The recipes that are built in.

const RECIPES: [(&str, &str); 3] = [
    ("r1-mini", include_str!("recipes/r1-mini.toml")),
    ("deepseek-r1", include_str!("recipes/deepseek-r1.toml")),
    ("qwen3-4b", include_str!("recipes/qwen3-4b.toml")),
];

/// All recipes: name and text, a job file with comments.
pub fn recipes() -> &'static [(&'static str, &'static str)] {
    &RECIPES
}

/// The text of a recipe.
pub fn recipe(name: &str) -> Option<&'static str> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
