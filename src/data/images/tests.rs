//! Files as they should be, and as they should not.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

use super::*;
use crate::task::watched;

/// A folder with these files; a name may have folders before it.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn idx(magic: u32, lengths: &[u32], bytes: &[u8]) -> Vec<u8> {
    [magic].iter().chain(lengths).flat_map(|number| number.to_be_bytes()).chain(bytes.iter().copied()).collect()
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn values(data: &Dataset) -> Vec<f32> {
    data.points().unwrap().values().into_owned()
}

#[test]
fn idx_files_are_read_with_their_labels() {
    let pixels: Vec<u8> = (0..12).map(|pixel| 20 * pixel).collect();
    let (images, labels) = (idx(2051, &[2, 2, 3], &pixels), idx(2049, &[2], &[7, 0]));
    let files = folder(&[
        ("a-idx3-ubyte", images.clone()),
        ("b.gz", zipped(&images)),
        ("l", labels.clone()),
        ("l.gz", zipped(&labels)),
    ]);
    for (images, labels) in [("a-idx3-ubyte", "l"), ("b.gz", "l.gz")] {
        let path = |name| files.path().join(name);
        let data = Dataset::idx(&path(images), Some(&path(labels)), &Task::default()).unwrap();
        assert_eq!(data.shape(), [2, 3]);
        assert_eq!(values(&data), pixels.iter().map(|&pixel| f32::from(pixel)).collect::<Vec<_>>());
        assert_eq!(
            (data.labels(), data.classes()),
            (&["7", "0"].map(String::from)[..], &["0", "7"].map(String::from)[..])
        );
        assert!(Dataset::idx(&path(images), None, &Task::default()).unwrap().labels().is_empty());
    }
}

#[test]
fn damaged_idx_files_are_refused() {
    let whole = idx(2051, &[2, 2, 3], &[1; 12]);
    let files = folder(&[
        ("whole", whole.clone()),
        ("cut", whole[..20].to_vec()),
        ("head", whole[..9].to_vec()),
        ("tiny", whole[..3].to_vec()),
        ("empty", Vec::new()),
        ("long", [&whole[..], &[1]].concat()),
        ("cut.gz", zipped(&whole[..20])),
        ("broken.gz", zipped(&whole)[..25].to_vec()),
        ("labels", idx(2049, &[2], &[1, 2])),
        ("three", idx(2049, &[3], &[1, 2, 3])),
        ("floats", idx(0x0d03, &[2, 2, 3], &[1; 48])),
        ("none", idx(2051, &[0, 2, 3], &[])),
        ("huge", idx(2051, &[u32::MAX, u32::MAX, 3], &[])),
        ("text", b"1,2,3\n".to_vec()),
    ]);
    let path = |name: &str| files.path().join(name);
    let refusal = |name: &str, labels: Option<&str>| {
        let labels = labels.map(path);
        let error = Dataset::idx(&path(name), labels.as_deref(), &Task::default()).expect_err(name).to_string();
        error.replace(&format!("{}/", files.path().display()), "")
    };
    assert_eq!(refusal("cut", None), "cannot read `cut`: it ends after 4 of 12 bytes of what it says to have");
    assert_eq!(refusal("head", None), "cannot read `head`: it ends after 5 of 12 bytes of the lengths of its axes");
    assert_eq!(refusal("tiny", None), "cannot read `tiny`: it ends after 3 of 4 bytes of its magic number");
    assert_eq!(refusal("empty", None), "cannot read `empty`: it ends after 0 of 4 bytes of its magic number");
    assert_eq!(
        refusal("long", None),
        "cannot read `long`: it goes on after the 12 bytes that its shape [2, 2, 3] says"
    );
    assert!(refusal("cut.gz", None).ends_with("it ends after 4 of 12 bytes of what it says to have"));
    assert!(refusal("broken.gz", None).starts_with("cannot read `broken.gz`: "), "{}", refusal("broken.gz", None));
    assert_eq!(
        refusal("labels", None),
        "cannot read `labels`: its magic number must be 2051, that of images in bytes, got 2049, that of labels"
    );
    assert!(
        refusal("whole", Some("whole")).contains("must be 2049, that of labels in bytes, got 2051, that of images")
    );
    assert_eq!(refusal("whole", Some("three")), "cannot use `three`: it has 3 labels for 2 of `whole`");
    assert!(refusal("floats", None).ends_with("must be 2051, that of images in bytes, got 3331"));
    assert!(refusal("none", None).ends_with("it says to have the shape [0, 2, 3], so it is empty"));
    assert!(refusal("huge", None).contains("its images would take"), "{}", refusal("huge", None));
    assert!(refusal("text", None).contains("got 824980012"), "{}", refusal("text", None));
    assert!(refusal("no", None).contains("no such file"));
}

#[test]
fn cifar_files_are_joined_in_their_order() {
    let image = |label: u8, pixel: u8| -> Vec<u8> { [vec![label], vec![pixel; 1024], vec![0; 2048]].concat() };
    let files = folder(&[
        ("data_batch_2.bin", image(9, 3)),
        ("data_batch_1.bin", [image(0, 1), image(3, 2)].concat()),
        ("test_batch.bin", image(1, 9)),
    ]);
    let (data, warnings) = watched(|task| Dataset::cifar10(files.path(), false, task).unwrap());
    assert_eq!((data.name(), data.shape()), ("cifar10", &[3, 32, 32][..]));
    assert_eq!(data.labels(), ["airplane", "cat", "truck"].map(String::from));
    let pixels = values(&data);
    assert_eq!([pixels[0], pixels[1023], pixels[1024], pixels[3072], pixels[6144]], [1.0, 1.0, 0.0, 2.0, 3.0]);
    assert_eq!(warnings.len(), 3);
    assert!(warnings[0].starts_with("3 of 5 files are missing, the first `"), "{}", warnings[0]);
    assert!(warnings[1].ends_with("has 2 images where 10000 are usual"), "{}", warnings[1]);
    let (test, _) = watched(|task| Dataset::cifar10(files.path(), true, task).unwrap());
    assert_eq!(test.labels(), ["automobile"].map(String::from));

    let refusal = |files: &[(&str, Vec<u8>)]| {
        let folder = folder(files);
        let error = Dataset::cifar10(folder.path(), false, &Task::default()).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    let cut = refusal(&[("data_batch_1.bin", image(0, 1)[..3000].to_vec())]);
    assert_eq!(cut, "cannot read `data_batch_1.bin`: its 3000 bytes are no whole number of images of 3073");
    let label = refusal(&[("data_batch_1.bin", [image(0, 1), image(10, 1)].concat())]);
    assert_eq!(label, "cannot read `data_batch_1.bin`: image 1 has the label 10, and there are 0 to 9");
    assert!(refusal(&[("other.bin", Vec::new())]).ends_with("it has no `data_batch_1.bin`"));
}

fn png(picture: impl Into<image::DynamicImage>) -> Vec<u8> {
    encoded(picture, image::ImageFormat::Png)
}

fn encoded(picture: impl Into<image::DynamicImage>, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn gray(width: u32, height: u32, value: u8) -> GrayImage {
    ImageBuffer::from_fn(width, height, |x, y| Luma([value + (x + 10 * y) as u8]))
}

#[test]
fn pictures_are_data_channel_by_channel() {
    let colour = RgbImage::from_fn(3, 2, |x, y| Rgb([x as u8, 10 + y as u8, 200]));
    let files = folder(&[
        ("b/1.png", png(gray(3, 2, 7))),
        ("a/2.PNG", png(gray(3, 2, 100))),
        ("a/10.png", png(gray(3, 2, 0))),
        (".hidden", Vec::new()),
    ]);
    let (data, warnings) = watched(|task| Dataset::images(files.path(), &Wanted::default(), task).unwrap());
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((data.shape(), data.labels()), (&[2, 3][..], &["a", "a", "b"].map(String::from)[..]));
    assert_eq!(values(&data)[..8], [0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 100.0, 101.0]);

    let files = folder(&[("x.png", png(colour))]);
    let data = Dataset::images(files.path(), &Wanted::default(), &Task::default()).unwrap();
    assert_eq!(data.shape(), [3, 2, 3]);
    assert_eq!(values(&data)[..9], [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 10.0, 10.0, 10.0]);
    assert!(data.labels().is_empty());
    let wanted = Wanted { gray: Some(true), size: Some([1, 1]) };
    let data = Dataset::images(files.path(), &wanted, &Task::default()).unwrap();
    // Rec. 709, within what rounding to whole values leaves.
    let truth = 0.2126 * 1.0 + 0.7152 * 10.5 + 0.0722 * 200.0;
    assert_eq!(data.shape(), [1, 1]);
    assert!((values(&data)[0] - truth).abs() < 1.5, "{:?} for {truth}", values(&data));
}

#[test]
fn other_kinds_of_pixels() {
    let fine: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(2, 2, Luma([257 * 9 + 100]));
    let files = folder(&[("fine.png", png(fine))]);
    let data = Dataset::images(files.path(), &Wanted::default(), &Task::default()).unwrap();
    assert!((values(&data)[0] - (9.0 + 100.0 / 257.0)).abs() < 1e-6);

    let clear = RgbaImage::from_pixel(2, 2, Rgba([10, 20, 30, 40]));
    let jpeg = encoded(RgbImage::from_pixel(2, 2, Rgb([100, 100, 100])), image::ImageFormat::Jpeg);
    let files = folder(&[("a.png", png(clear)), ("b.jpg", jpeg), ("readme.txt", Vec::new())]);
    let (data, warnings) = watched(|task| Dataset::images(files.path(), &Wanted::default(), task).unwrap());
    assert_eq!(data.shape(), [3, 2, 2]);
    assert_eq!(values(&data)[4], 20.0);
    assert!((values(&data)[12] - 100.0).abs() <= 1.0);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("1 of `") && warnings[0].contains("readme.txt"), "{warnings:?}");
    assert!(warnings[1].ends_with("have transparency, which is not looked at"), "{warnings:?}");
}

#[test]
fn folders_that_are_no_data_are_refused() {
    let refusal = |files: &[(&str, Vec<u8>)]| {
        let folder = folder(files);
        let error = Dataset::images(folder.path(), &Wanted::default(), &Task::default()).unwrap_err().to_string();
        error.replace(&format!("{}/", folder.path().display()), "")
    };
    let many: Vec<_> = (10..70).map(|at| (format!("{at}.png"), png(gray(3, 2, 0)))).collect();
    let mut many: Vec<_> = many.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    many[50].1 = png(gray(2, 3, 0));
    assert_eq!(refusal(&many), "cannot use `60.png`: it has 3 × 2 pixels (height × width), and `10.png` has 2 × 3");
    many[50].1 = png(RgbImage::new(3, 2));
    assert_eq!(refusal(&many), "cannot use `60.png`: it is in colour, and `10.png` is grey");
    many[50].1.truncate(40);
    assert!(refusal(&many).starts_with("cannot read `60.png`: "), "{}", refusal(&many));
    assert!(refusal(&[("a.txt", Vec::new())]).ends_with("there are no pictures in it"));
    let mixed = refusal(&[("a.png", png(gray(1, 1, 0))), ("b/c.png", png(gray(1, 1, 0)))]);
    assert!(mixed.ends_with("`a.png` has no label, and `b/c.png` has that of its folder"), "{mixed}");
    let nowhere = Dataset::images(Path::new("no/such"), &Wanted::default(), &Task::default()).unwrap_err();
    assert!(nowhere.to_string().starts_with("cannot read `no/such`: "), "{nowhere}");
}
