//! Figures where the prompt is, on terminals that can show them.
//!
//! Nothing is asked of the terminal, whose answer would be mixed with what is typed ahead: the environment tells what
//! it is, or the user says.

use data_encoding::BASE64;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};

/// A way in which terminals show pictures.
pub(super) struct Protocol {
    name: &'static str,
    /// Whether the terminal that an environment tells of has it.
    fits: fn(&dyn Fn(&str) -> String) -> bool,
    /// What is written to show a picture, given as a PNG file and as pixels, in so many columns.
    show: fn(&[u8], &DynamicImage, u32) -> String,
}

/// All of them, the best first.
const PROTOCOLS: &[Protocol] = &[
    Protocol {
        name: "kitty",
        fits: |variable| {
            let is_one = |name: &str| name.contains("kitty") || name.contains("ghostty");
            is_one(&variable("TERM")) || is_one(&variable("TERM_PROGRAM")) || !variable("KITTY_WINDOW_ID").is_empty()
        },
        show: |png, _, columns| kitty(png, columns),
    },
    Protocol {
        name: "iterm",
        fits: |variable| ["iTerm.app", "WezTerm", "mintty"].contains(&variable("TERM_PROGRAM").as_str()),
        show: |png, _, columns| iterm(png, columns),
    },
    Protocol {
        name: "sixel",
        fits: |variable| {
            let term = variable("TERM");
            ["foot", "mlterm", "sixel"].iter().any(|name| term.contains(name)) || !variable("WT_SESSION").is_empty()
        },
        show: |_, picture, columns| sixel(&fitted(picture, columns * PIXELS).to_rgb8()),
    },
    Protocol {
        name: "blocks",
        fits: |variable| {
            variable("NO_COLOR").is_empty() && ["truecolor", "24bit"].contains(&variable("COLORTERM").as_str())
        },
        show: |_, picture, columns| blocks(&fitted(picture, columns).to_rgb8(), exact),
    },
    // Most terminals say no more of themselves from another machine.
    Protocol {
        name: "blocks256",
        fits: |variable| variable("NO_COLOR").is_empty() && variable("TERM").contains("256color"),
        show: |_, picture, columns| blocks(&fitted(picture, columns).to_rgb8(), nearest),
    },
];

/// What `--images` and `:set images` may be.
pub(crate) const WORDS: &[&str] = &["auto", "kitty", "iterm", "sixel", "blocks", "blocks256", "none"];

/// Columns of a picture; more makes it no clearer.
const WIDEST: usize = 72;
/// Rows that are left to the input and the figure's text.
const ROWS: usize = 4;
/// Pixels that are taken for a column where that is not known.
const PIXELS: u32 = 9;
/// Bytes of a piece that kitty takes at once.
const PIECE: usize = 4096;
/// Shades of each of red, green and blue that sixels are made of.
const SHADES: usize = 6;

/// The one of that name; by `auto` what the environment tells of, if anything, by `none` none.
///
/// # Errors
/// When there is none of that name.
pub(super) fn chosen(name: &str) -> tumble::Result<Option<&'static Protocol>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    match name {
        "auto" => Ok(detected(&variable)),
        "none" => Ok(None),
        _ => {
            let found = PROTOCOLS.iter().find(|protocol| protocol.name == name);
            let problem = || match WORDS.split_last() {
                Some((last, others)) => format!("is {} or {last}, got `{name}`", others.join(", ")),
                None => String::new(),
            };
            found.map(Some).ok_or_else(|| tumble::Error::argument("--images", problem()))
        }
    }
}

/// What the terminal has, as far as its environment tells; inside of a multiplexer, which may pass the rest on or not,
/// colours.
fn detected(variable: &dyn Fn(&str) -> String) -> Option<&'static Protocol> {
    let is_hidden = !variable("TMUX").is_empty() || !variable("STY").is_empty();
    let is_dumb = ["", "dumb"].contains(&variable("TERM").as_str());
    let can_pass = |protocol: &&Protocol| !is_dumb && (!is_hidden || protocol.is_text());
    PROTOCOLS.iter().filter(can_pass).find(|protocol| (protocol.fits)(variable))
}

impl Protocol {
    /// Its word among [`WORDS`].
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it takes nothing but characters in colours, which a multiplexer knows itself.
    fn is_text(&self) -> bool {
        self.name.starts_with("blocks")
    }

    /// What is written to show a PNG file on a terminal of so many rows and columns, with room for what was typed;
    /// nothing of what is none.
    pub(super) fn text(&self, png: &[u8], [rows, width]: [usize; 2], in_tmux: bool) -> Option<String> {
        let picture = image::load_from_memory(png).ok()?;
        // A row is as high as two columns are wide.
        let high = 2 * rows.saturating_sub(ROWS).max(ROWS) as u32 * picture.width() / picture.height().max(1);
        let columns = (width.saturating_sub(1).clamp(1, WIDEST) as u32).min(high.max(1));
        let text = (self.show)(png, &picture, columns);
        Some(if in_tmux && !self.is_text() { passed_on(&text) } else { text })
    }
}

/// The picture in so many pixels of width.
fn fitted(picture: &DynamicImage, width: u32) -> DynamicImage {
    let height = (picture.height() * width).div_ceil(picture.width().max(1)).max(1);
    picture.resize_exact(width, height, FilterType::Triangle)
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>: the file in pieces, of which all but the last say that more
/// come; nobody is to answer.
fn kitty(png: &[u8], columns: u32) -> String {
    let text = BASE64.encode(png);
    let pieces: Vec<&str> = text.as_bytes().chunks(PIECE).filter_map(|piece| str::from_utf8(piece).ok()).collect();
    let piece = |(i, piece): (usize, &&str)| {
        let what = if i == 0 { format!("a=T,f=100,q=2,c={columns},") } else { String::new() };
        format!("\x1b_G{what}m={};{piece}\x1b\\", u8::from(i + 1 < pieces.len()))
    };
    pieces.iter().enumerate().map(piece).collect()
}

/// <https://iterm2.com/documentation-images.html>
fn iterm(png: &[u8], columns: u32) -> String {
    format!("\x1b]1337;File=inline=1;size={};width={columns}:{}\x07", png.len(), BASE64.encode(png))
}

/// Six rows of pixels at a time, colour by colour (DEC STD 070): a character says which of six pixels have it.
fn sixel(picture: &RgbImage) -> String {
    let shade = |value: u8| (usize::from(value) * (SHADES - 1) + 127) / 255;
    let colour = |x: u32, y: u32| picture.get_pixel(x, y).0.iter().fold(0, |sum, &value| sum * SHADES + shade(value));
    let (width, height) = picture.dimensions();
    let mut text = format!("\x1bPq\"1;1;{width};{height}");
    for index in 0..SHADES.pow(3) {
        let [red, green, blue] =
            [index / SHADES / SHADES, index / SHADES % SHADES, index % SHADES].map(|shade| 100 * shade / (SHADES - 1));
        text.push_str(&format!("#{index};2;{red};{green};{blue}"));
    }
    for top in (0..height).step_by(6) {
        let rows: Vec<u32> = (top..height.min(top + 6)).collect();
        let colours: std::collections::BTreeSet<usize> =
            rows.iter().flat_map(|&y| (0..width).map(move |x| (x, y))).map(|(x, y)| colour(x, y)).collect();
        for own in colours {
            text.push_str(&format!("#{own}"));
            let bits = |x: u32| {
                (0_u8..).zip(&rows).filter(|(_, y)| colour(x, **y) == own).map(|(bit, _)| 1 << bit).sum::<u8>()
            };
            let columns: Vec<u8> = (0..width).map(bits).collect();
            for run in columns.chunk_by(|a, b| a == b) {
                text.push_str(&format!("!{}{}", run.len(), char::from(b'?' + run[0])));
            }
            text.push('$');
        }
        text.push('-');
    }
    text + "\x1b\\"
}

/// Two pixels in each character, the upper one as its colour, the lower one as that behind it.
fn blocks(picture: &RgbImage, colour: fn([u8; 3]) -> String) -> String {
    let (width, height) = picture.dimensions();
    let mut text = String::new();
    for y in (0..height).step_by(2) {
        for x in 0..width {
            let [upper, lower] = [y, (y + 1).min(height - 1)].map(|y| colour(picture.get_pixel(x, y).0));
            text.push_str(&format!("\x1b[38;{upper};48;{lower}m▀"));
        }
        text.push_str("\x1b[0m\n");
    }
    text.trim_end().to_owned()
}

fn exact([red, green, blue]: [u8; 3]) -> String {
    format!("2;{red};{green};{blue}")
}

/// The nearest of the 240 colours that xterm defined: a cube of six shades each, and greys.
fn nearest(colour: [u8; 3]) -> String {
    let cube = (0..216_u8)
        .map(|i| (16 + i, [i / 36, i / 6 % 6, i % 6].map(|shade| if shade == 0 { 0 } else { 55 + 40 * shade })));
    let greys = (0..24_u8).map(|i| (232 + i, [8 + 10 * i; 3]));
    let distance = |other: [u8; 3]| -> u32 {
        colour.iter().zip(other).map(|(&own, other)| u32::from(own.abs_diff(other)).pow(2)).sum()
    };
    let (index, _) = cube.chain(greys).min_by_key(|(_, other)| distance(*other)).expect("there are colours");
    format!("5;{index}")
}

/// What tmux hands to the terminal around it, where `allow-passthrough` is on.
fn passed_on(text: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", text.replace('\x1b', "\x1b\x1b"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Red above blue, 12 by 12.
    fn flag() -> Vec<u8> {
        let pixels = RgbImage::from_fn(12, 12, |_, y| image::Rgb(if y < 6 { [255, 0, 0] } else { [0, 0, 255] }));
        let mut file = std::io::Cursor::new(Vec::new());
        pixels.write_to(&mut file, image::ImageFormat::Png).unwrap();
        file.into_inner()
    }

    fn shown(name: &str, in_tmux: bool) -> String {
        let protocol = PROTOCOLS.iter().find(|protocol| protocol.name == name).unwrap();
        protocol.text(&flag(), [24, 13], in_tmux).unwrap()
    }

    #[test]
    fn every_protocol_can_be_chosen() {
        let names: Vec<_> = PROTOCOLS.iter().map(|protocol| protocol.name).collect();
        assert_eq!(WORDS[1..WORDS.len() - 1], names);
    }

    #[test]
    fn terminals_are_known_by_their_environment() {
        let of = |environment: &'static [(&str, &str)]| {
            let variable = |name: &str| {
                environment
                    .iter()
                    .find(|(own, _)| *own == name)
                    .map(|(_, value)| (*value).to_owned())
                    .unwrap_or_default()
            };
            detected(&variable).map_or("none", |protocol| protocol.name)
        };
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("COLORTERM", "truecolor")]), "kitty");
        assert_eq!(of(&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")]), "iterm");
        assert_eq!(of(&[("TERM", "foot-extra")]), "sixel");
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), "blocks");
        assert_eq!(of(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), "none");
        assert_eq!(of(&[("TERM", "xterm-kitty"), ("TMUX", "1")]), "none");
        assert_eq!(of(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), "none");
        assert_eq!(of(&[("TERM", "xterm-256color")]), "blocks256");
        assert_eq!(of(&[("TERM", "tmux-256color"), ("TMUX", "1"), ("KITTY_WINDOW_ID", "1")]), "blocks256");
        assert_eq!(of(&[("TERM", "xterm")]), "none");
    }

    #[test]
    fn pictures_are_written_as_each_protocol_has_them() {
        let png = BASE64.encode(&flag());
        assert_eq!(shown("kitty", false), format!("\x1b_Ga=T,f=100,q=2,c=12,m=0;{png}\x1b\\"));
        let size = flag().len();
        assert_eq!(shown("iterm", false), format!("\x1b]1337;File=inline=1;size={size};width=12:{png}\x07"));
        assert!(shown("kitty", true).starts_with("\x1bPtmux;\x1b\x1b_Ga=T,"));
        // 108 columns of pixels; all six rows of the first band are red, 5·36, of the last blue, 5.
        let sixel = shown("sixel", false);
        assert!(sixel.starts_with("\x1bPq\"1;1;108;108#0;2;0;0;0#1;2;0;0;20#"), "{sixel}");
        let bands = &sixel[sixel.find("#215;2;100;100;100").unwrap() + 18..];
        assert!(bands.starts_with("#180!108~$-") && bands.ends_with("#5!108~$-\x1b\\"), "{bands}");
        let red = "\x1b[38;2;255;0;0;48;2;255;0;0m▀".repeat(12) + "\x1b[0m\n";
        let blocks = shown("blocks", true);
        assert!(blocks.starts_with(&red) && blocks.lines().count() == 6, "{blocks}");
        let red = "\x1b[38;5;196;48;5;196m▀".repeat(12) + "\x1b[0m\n";
        assert!(shown("blocks256", true).starts_with(&red));
        assert_eq!([[255; 3], [12; 3], [90, 140, 170]].map(nearest), ["5;231", "5;232", "5;67"]);
        let low = PROTOCOLS[3].text(&flag(), [9, 80], false).unwrap();
        assert_eq!(low.lines().count(), 5);
    }

    #[test]
    fn long_files_come_in_pieces() {
        let text = kitty(&[7; 4000], 10);
        let pieces: Vec<&str> = text.split("\x1b\\").collect();
        assert_eq!(pieces.len(), 3);
        assert!(pieces[0].contains(",m=1;") && pieces[0].len() < PIECE + 40 && pieces[1].starts_with("\x1b_Gm=0;"));
    }
}
