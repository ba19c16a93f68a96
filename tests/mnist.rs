//! The real MNIST, where it is: `scripts/data/mnist.sh FOLDER` fetches it, and the variable MNIST names the folder.

use std::io::Write;

use tumble::Runtime;

#[test]
fn mnist_is_what_everybody_knows() {
    let Some(folder) = std::env::var_os("MNIST") else {
        // Past the capture of the test's output: what was not tested is to be seen.
        let note = "MNIST is not set, so its files are not tested: scripts/data/mnist.sh fetches them\n";
        std::io::stderr().write_all(note.as_bytes()).unwrap();
        return;
    };
    let mut runtime = Runtime::new();
    runtime.set("folder", folder.to_string_lossy().into_owned());
    let script = r#"
        let d = dataset::idx(folder + "/train-images-idx3-ubyte", folder + "/train-labels-idx1-ubyte");
        assert_eq(d.shape, [28, 28]);
        assert_eq(d.labels.len, 60_000);
        assert_eq(d.labels[0], "5");
        assert_eq(d.of_class(0).labels.len, 5923);
        // Mean and standard deviation of all pixels, which programs that learn from it write as 0.1307 and 0.3081.
        let x = d.sample(20_000, 1);
        assert_near(x.mean() / 255, 0.1307, 0.001);
        assert_near(x.std() / 255, 0.3081, 0.001);
        let t = dataset::idx(folder + "/t10k-images-idx3-ubyte", folder + "/t10k-labels-idx1-ubyte");
        assert_eq(t.class_indices.len, 10_000);
        assert_fails(|| dataset::idx(folder + "/t10k-images-idx3-ubyte", folder + "/train-labels-idx1-ubyte"), "60000 labels for 10000");
    "#;
    runtime.eval::<()>(script).unwrap_or_else(|error| panic!("{error}"));
}
