//! Files that scripts write and read.

use tumble::Runtime;

#[test]
fn scripts_write_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut tumble = Runtime::new();
    tumble.set("folder", format!("{}/", folder.path().display()));
    let script = r#"
        let x = dataset::diamond().sample(100, 1);
        for ending in ["npy", "npz", "csv"] {
            let file = `${folder}x.${ending}`;
            x.save(file);
            assert_eq(io::read(file), x);
            assert_eq(dataset::from_file(file).shape, [2]);
        }
        let two = folder + "two.npz";
        io::write(two, #{ x: x, angles: [1, 2, 3] });
        assert_eq(io::read(two, "angles"), tensor([1, 2, 3]));
        assert_eq(dataset::from_file(two, "angles").mean, [2.0]);
        assert_fails(|| io::read(two), "name one of them");
        assert_fails(|| io::read(two, "angle"), "did you mean `angles`?");
        assert_fails(|| zeros([2, 2, 2]).save(folder + "cube.csv"), "reshape it, or use .npy");
        assert_fails(|| x.save(folder + "x.txt"), "use .npy, .npz or .csv");
        assert_fails(|| io::write(folder + "x.npy", #{ x: x }), "use .npz for several");
        assert_fails(|| io::read(folder + "x.npu"), "use .npy, .npz or .csv");
        assert_fails(|| io::read(folder + "y.npy"), "did you mean `x.npy`?");
    "#;
    if let Err(error) = tumble.run(script) {
        panic!("{error}");
    }
}

/// Models written before anything in them was renamed, of a coupled process with a kernel and of a nonlinear one. The
/// samples are those of the program that wrote them.
#[test]
fn old_model_files_load() {
    let mut tumble = Runtime::new();
    tumble.set("folder", format!("{}/tests/models/", env!("CARGO_MANIFEST_DIR")));
    let script = r#"
        let is_near = |found, known| assert_near(abs(found - tensor(known)).max(), 0, 1e-3);
        let kernel = score::load(folder + "kernel.safetensors");
        let s = sample(kernel, #{ count: 2, steps: 20, seed: 3 });
        is_near.call(s.x, [[0.49853, 0.28502], [0.2213, -0.60126]]);
        is_near.call(s.v, [[0.41925, 0.8934], [-0.086512, -1.2274]]);
        let paths = score::load(folder + "paths.safetensors");
        is_near.call(sample(paths, #{ count: 2, steps: 20, seed: 3 }).x, [[0.87374], [-0.9309]]);
    "#;
    if let Err(error) = tumble.run(script) {
        panic!("{error}");
    }
}
