//! Tensors in files.

use std::path::Path;

use rhai::plugin::*;
use rhai::{Dynamic, Engine, Map};

use crate::data::formats;
use crate::lang::failure::{Outcome, Raise};
use crate::lang::surroundings::host;
use crate::lang::tensors::{give, tensor_argument};
use crate::tensor::Tensor;

/// Registers the module `io`.
pub(super) fn install(engine: &mut Engine) {
    engine.register_static_module("io", rhai::exported_module!(module).into());
}

#[export_module]
mod module {
    /// Reads a tensor from a .npy, .npz or .csv file.
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `array`: name of the array in a .npz file that holds several
    ///
    /// # Returns
    /// A `Tensor`; of a file that holds a single number, the number.
    ///
    /// # Errors
    /// When the file is missing, truncated, ragged or not numeric, or holds no array of that name.
    ///
    /// # Example
    /// ```rhai
    /// // let x = io::read("samples.npy");
    /// assert_fails(|| io::read("samples.png"), "use .npy, .npz or .csv");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn read(ctx: NativeCallContext, path: &str, array: &str) -> Outcome<Dynamic> {
        formats::read(Path::new(path), Some(array), &host(&ctx)).raise(&ctx).map(give)
    }

    #[rhai_fn(name = "read", return_raw)]
    pub fn read_of_one(ctx: NativeCallContext, path: &str) -> Outcome<Dynamic> {
        formats::read(Path::new(path), None, &host(&ctx)).raise(&ctx).map(give)
    }

    /// Writes a tensor to a .npy or .csv file, or a map of tensors to a .npz file.
    ///
    /// # Arguments
    /// - `path`: the file
    /// - `value`: a tensor, an array of numbers, or `#{ name: tensor, .. }`
    ///
    /// # Errors
    /// When the folder does not exist or the ending does not fit.
    ///
    /// # Example
    /// ```rhai
    /// // io::write("samples.npz", #{ x: s.x, eta: s.eta });
    /// assert_fails(|| io::write("no_such_folder/x.npy", [1, 2]), "does not exist");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn write(ctx: NativeCallContext, path: &str, value: Dynamic) -> Outcome<()> {
        let (path, host) = (Path::new(path), host(&ctx));
        let Some(map) = value.read_lock::<Map>() else {
            return formats::write(path, &tensor_argument(&ctx, "value", &value)?, &host).raise(&ctx);
        };
        let mut tensors: Vec<(&str, Tensor)> = Vec::new();
        for (name, value) in map.iter() {
            tensors.push((name, tensor_argument(&ctx, name, value)?));
        }
        let named: Vec<(&str, &Tensor)> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
        formats::write_named(path, &named, &host).raise(&ctx)
    }
}
