use ratatui::style::{Color, Modifier, Style};
use toml::de::{DeTable, DeValue};

use super::{Depth, Meaning, Theme, colour};
use crate::console::settings::{File, Problem, string};

/// Reads a theme. What it leaves out comes from the theme that it `inherits`, or else from the one of its own name,
/// or else from the first one.
pub(super) fn theme(name: &str, text: &str, known: &[Theme], depth: Depth, problems: &mut Vec<Problem>) -> Theme {
    let path = format!("{name}.toml");
    let file = File { name: &path, text };
    let base = |of: &str| known.iter().find(|theme| theme.name == of);
    let fallback = base(name).or(known.first());
    let mut theme = Theme {
        name: name.to_owned(),
        about: String::new(),
        styles: fallback.map_or([Style::new(); Meaning::COUNT], |theme| theme.styles),
    };
    let table = match file.table() {
        Ok(table) => table,
        Err(problem) => {
            problems.push(problem);
            return theme;
        }
    };
    let none = DeTable::default();
    let (mut palette, mut styles) = (&none, &none);
    for (key, value) in &table {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("about", DeValue::String(about)) => theme.about = about.to_string(),
            ("inherits", DeValue::String(of)) => match base(of) {
                Some(of) => theme.styles = of.styles,
                None => problems.push(file.unknown(
                    &value.span(),
                    "theme",
                    of,
                    known.iter().map(|theme| theme.name.as_str()),
                )),
            },
            ("palette", DeValue::Table(table)) => palette = table,
            ("style", DeValue::Table(table)) => styles = table,
            (key @ ("about" | "inherits" | "palette" | "style"), _) => {
                problems.push(file.problem(&value.span(), format!("`{key}` is of the wrong kind")));
            }
            (key_text, _) => {
                problems.push(file.unknown(&key.span(), "setting", key_text, ["about", "inherits", "palette", "style"]))
            }
        }
    }
    let find = |text: &str| -> Option<Color> {
        let named = palette.iter().find(|(name, _)| name.get_ref().as_ref() == text);
        colour::read(named.and_then(|(_, value)| string(value.get_ref())).unwrap_or(text))
    };
    for (name, value) in styles {
        let Some(meaning) = Meaning::from_name(name.get_ref()) else {
            let names = Meaning::ALL.iter().map(|(_, name)| *name);
            problems.push(file.unknown(&name.span(), "meaning", name.get_ref(), names));
            continue;
        };
        match style(value.get_ref(), &find) {
            Ok(style) => theme.styles[meaning as usize] = shown(style, depth),
            Err(wrong) => problems.push(file.problem(&value.span(), wrong)),
        }
    }
    theme
}

fn shown(mut style: Style, depth: Depth) -> Style {
    style.fg = style.fg.map(|colour| depth.show(colour));
    style.bg = style.bg.map(|colour| depth.show(colour));
    style
}

/// `"ink"`, or `{ fg = "ink", bg = "blue", bold = true }`.
fn style(value: &DeValue<'_>, find: &dyn Fn(&str) -> Option<Color>) -> Result<Style, String> {
    let colour = |value: &DeValue<'_>| {
        let text = string(value).ok_or("a colour is a string: #rrggbb, a name of the palette, or `default`")?;
        find(text).ok_or_else(|| format!("there is no colour `{text}`: write #rrggbb or a name of the palette"))
    };
    let DeValue::Table(table) = value else { return Ok(Style::new().fg(colour(value)?)) };
    let mut style = Style::new();
    for (key, value) in table {
        let switch = |modifier: Modifier| match value.get_ref() {
            DeValue::Boolean(true) => Ok(style.add_modifier(modifier)),
            DeValue::Boolean(false) => Ok(style.remove_modifier(modifier)),
            _ => Err(format!("`{}` must be true or false", key.get_ref())),
        };
        style = match key.get_ref().as_ref() {
            "fg" => style.fg(colour(value.get_ref())?),
            "bg" => style.bg(colour(value.get_ref())?),
            "bold" => switch(Modifier::BOLD)?,
            "dim" => switch(Modifier::DIM)?,
            "italic" => switch(Modifier::ITALIC)?,
            "underline" => switch(Modifier::UNDERLINED)?,
            "reverse" => switch(Modifier::REVERSED)?,
            other => return Err(format!("there is no `{other}`: fg, bg, bold, dim, italic, underline, reverse")),
        };
    }
    Ok(style)
}
