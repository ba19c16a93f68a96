//! Pictures, still and moving, and drawings.

use std::fmt::Display;
use std::io::Cursor;
use std::path::Path;

use super::kind::{Kind, ending};
use super::text;
use crate::error::{Error, Result};
use crate::host::{Host, Inscription};

pub(super) const BITMAP: Kind =
    Kind { fits: |name, _| format(name).is_some(), describe: describe_bitmap, difference: difference_of_bitmaps };
pub(super) const DRAWING: Kind =
    Kind { fits: |name, _| ending(name) == "svg", describe: describe_drawing, difference: difference_of_drawings };

/// What reads the frames of a format, each with its bytes of pixels.
type Read = fn(&[u8], &Host) -> Result<Picture, String>;

struct Picture {
    size: [u32; 2],
    frames: Vec<Vec<u8>>,
}

fn format(name: &Path) -> Option<Read> {
    match ending(name).as_str() {
        "png" | "apng" => Some(png),
        "gif" => Some(gif),
        _ => None,
    }
}

fn png(bytes: &[u8], host: &Host) -> Result<Picture, String> {
    let problem = |error: png::DecodingError| error.to_string();
    let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().map_err(problem)?;
    let count = reader.info().animation_control.map_or(1, |control| control.num_frames);
    let size = [reader.info().width, reader.info().height];
    let length = reader.output_buffer_size().ok_or("it is too large")?;
    host.afford(length as f64 * f64::from(count), Error::numerical).map_err(|e| e.to_string())?;
    let frame = |_| {
        let mut pixels = vec![0; length];
        reader.next_frame(&mut pixels).map(|_| pixels).map_err(problem)
    };
    Ok(Picture { size, frames: (0..count).map(frame).collect::<Result<_, _>>()? })
}

fn gif(bytes: &[u8], _: &Host) -> Result<Picture, String> {
    let problem = |error: gif::DecodingError| error.to_string();
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut reader = options.read_info(Cursor::new(bytes)).map_err(problem)?;
    let size = [reader.width(), reader.height()].map(u32::from);
    let mut frames = Vec::new();
    while let Some(frame) = reader.read_next_frame().map_err(problem)? {
        frames.push(frame.buffer.to_vec());
    }
    Ok(Picture { size, frames })
}

fn read(name: &Path, bytes: &[u8], host: &Host) -> Result<Picture> {
    let read = format(name).expect("only pictures are of this kind");
    read(bytes, host).map_err(|problem| damaged(name, &problem))
}

fn damaged(name: &Path, problem: &dyn Display) -> Error {
    Error::file("read", name, format!("it is damaged: {problem}"))
}

fn describe_bitmap(name: &Path, bytes: &[u8], host: &Host) -> Result<Vec<String>> {
    let Picture { size: [width, height], frames } = read(name, bytes, host)?;
    let frames = if frames.len() == 1 { String::new() } else { format!(", {} frames", frames.len()) };
    Ok(vec![format!("picture, {width} × {height} pixels{frames}")])
}

fn difference_of_bitmaps(name: &Path, both: [&[u8]; 2], host: &Host) -> Result<Option<String>> {
    let [first, second] = [read(name, both[0], host)?, read(name, both[1], host)?];
    if first.size != second.size || first.frames.len() != second.frames.len() {
        let [first, second] = [first, second].map(|Picture { size: [w, h], frames }| match frames.len() {
            1 => format!("{w} × {h} pixels"),
            count => format!("{w} × {h} pixels, {count} frames"),
        });
        return Ok(Some(format!("{first}, and made again {second}")));
    }
    let pixels = first.size.iter().map(|side| *side as usize).product::<usize>().max(1);
    let differing = |(first, second): (&Vec<u8>, &Vec<u8>)| {
        let bytes = (first.len() / pixels).max(1);
        first.chunks(bytes).zip(second.chunks(bytes)).filter(|(a, b)| a != b).count()
    };
    let apart: usize = first.frames.iter().zip(&second.frames).map(differing).sum();
    Ok((apart > 0).then(|| format!("{apart} of {} pixels differ", pixels * first.frames.len())))
}

fn describe_drawing(name: &Path, bytes: &[u8], _: &Host) -> Result<Vec<String>> {
    let text = text::of(bytes).ok_or_else(|| damaged(name, &"it is no text"))?;
    let side = |side: &str| text.split_once(&format!("{side}=\"")).and_then(|(_, rest)| rest.split('"').next());
    Ok(vec![match side(" width").zip(side(" height")) {
        Some((width, height)) => format!("drawing, {width} × {height}"),
        None => "drawing".to_owned(),
    }])
}

fn difference_of_drawings(name: &Path, both: [&[u8]; 2], host: &Host) -> Result<Option<String>> {
    let [first, second] = both.map(Inscription::erased);
    text::difference(name, [&first, &second], host)
}
