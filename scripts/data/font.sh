#!/bin/sh
# Makes stdlib/font/DejaVuSans-subset.ttf from the DejaVu Sans 2.37 of the matplotlib wheel:
# Latin, Greek, sub- and superscripts, arrows and the usual mathematical signs, without hinting.
# Needs Python 3 with pip.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet fonttools==4.60.1 matplotlib==3.10.6
fonts=$("$work/venv/bin/python" -c 'import matplotlib; print(matplotlib.get_data_path())')/fonts/ttf
"$work/venv/bin/pyftsubset" "$fonts/DejaVuSans.ttf" \
    --unicodes='U+20-7E,U+A0-17F,U+2BC,U+300-304,U+307-308,U+370-3FF,U+1D43-1D6A,U+2010-2027,U+2030-203A,U+2070-209C,U+20AC,U+2102-214B,U+2190-2199,U+21CC,U+21D0-21D4,U+2200-22A5,U+22C5-22C6,U+2308-230B,U+25A0-25CF,U+2713,U+2C7C,U+2717,U+27E8-27E9' \
    --layout-features='' --drop-tables+=GSUB,GPOS,GDEF --legacy-kern --no-hinting --desubroutinize \
    --name-IDs='0,1,2,3,4,5,6,13,14' --output-file=stdlib/font/DejaVuSans-subset.ttf
cp "$fonts/LICENSE_DEJAVU" stdlib/font/LICENSE
