//! Figures made by scripts, as files.

use std::path::Path;

use tumble::Runtime;

fn saved(script: &str, path: &Path) -> (String, Vec<u8>) {
    let mut runtime = Runtime::new();
    runtime.set("path", path.display().to_string());
    let words: String = runtime.eval(script).unwrap_or_else(|error| panic!("{error}"));
    (words, std::fs::read(path).expect("the file was written"))
}

#[test]
fn a_script_writes_the_same_picture_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let (png, svg) = (folder.path().join("figure.png"), folder.path().join("figure.svg"));
    let script = "plot::scatter([[[0, 0], [1, 1]], [[0, 1], [1, 0]]], #{ file: path }).to_string()";
    let (words, pixels) = saved(script, &png);
    assert_eq!(words, format!("figure: 2 panels, saved to {}", png.display()));
    assert!(pixels.starts_with(b"\x89PNG"));
    assert_eq!(saved(script, &png).1, pixels);
    let (words, text) = saved("let fig = plot::lines([1, 2, 4]); fig.save(path); fig.to_string()", &svg);
    assert_eq!(words, format!("figure: 1 panel, saved to {}", svg.display()));
    assert!(text.starts_with(b"<svg"));
    // Nothing but the two pictures: no part of a file is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 2);
}
