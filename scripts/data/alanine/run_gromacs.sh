#!/bin/sh
# Molecular dynamics of alanine dipeptide in explicit water, as in Behera et al., arXiv 2411.07233: GROMACS, amber03,
# TIP3P, 0.15 M NaCl, 300 K, 1 bar, steps of 2 fs, 1 µs with positions every picosecond.
#
#   scripts/data/alanine/run_gromacs.sh FOLDER [NANOSECONDS]
#
# leaves md.xtc and peptide.gro in the folder, the peptide without its water, as the program reads them:
#
#   dataset::dihedrals("FOLDER/md.xtc", "FOLDER/peptide.gro", #{ atoms: "phi psi" })
#
# Needs GROMACS (Debian: apt-get install gromacs). What the paper does not say was chosen here: a rhombic dodecahedron
# with 1.2 nm between peptide and side, particle-mesh Ewald and a cutoff of 1 nm, bonds to hydrogen by LINCS, velocity
# rescaling (0.1 ps), pressure by stochastic cell rescaling (2 ps), 100 ps at constant volume and 100 ps at constant
# pressure before. The number of threads is the variable THREADS (1); 1 µs takes days on a few cores.
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 FOLDER [NANOSECONDS]" >&2
    exit 2
fi
here=$(cd "$(dirname "$0")" && pwd)
nanoseconds=${2:-1000}
threads=${THREADS:-1}
mkdir -p "$1"
cd "$1"

gmx() { command gmx -quiet -nobackup "$@"; }
run() { gmx mdrun -deffnm "$1" -ntmpi 1 -ntomp "$threads"; }

# Steps of 2 fs in so many picoseconds.
steps() { awk -v picoseconds="$1" 'BEGIN { printf "%d", picoseconds * 500 }'; }

# What all runs share; the name of the file and the number of steps.
dynamics() {
    cat > "$1.mdp" <<MDP
integrator              = md
dt                      = 0.002
nsteps                  = $2
constraints             = h-bonds
constraint-algorithm    = lincs
cutoff-scheme           = Verlet
coulombtype             = PME
rcoulomb                = 1.0
rvdw                    = 1.0
DispCorr                = EnerPres
tcoupl                  = v-rescale
tc-grps                 = System
tau-t                   = 0.1
ref-t                   = 300
nstenergy               = 5000
nstlog                  = 50000
MDP
}

pressure() {
    cat >> "$1.mdp" <<MDP
pcoupl                  = C-rescale
pcoupltype              = isotropic
tau-p                   = 2.0
ref-p                   = 1.0
compressibility         = 4.5e-5
MDP
}

# The peptide in water with salt.
gmx pdb2gmx -f "$here/peptide.pdb" -ff amber03 -water tip3p -ignh -o whole.gro -p topol.top
gmx editconf -f whole.gro -o boxed.gro -bt dodecahedron -d 1.2 -c
gmx solvate -cp boxed.gro -cs spc216.gro -o wet.gro -p topol.top
printf 'integrator = steep\nnsteps = 5000\nemtol = 500\ncoulombtype = PME\nrcoulomb = 1.0\nrvdw = 1.0\n' > minimum.mdp
gmx grompp -f minimum.mdp -c wet.gro -p topol.top -o ions.tpr
echo SOL | gmx genion -s ions.tpr -o salted.gro -p topol.top -pname NA -nname CL -neutral -conc 0.15 -seed 1

# To a minimum of the energy, to 300 K, to 1 bar.
gmx grompp -f minimum.mdp -c salted.gro -p topol.top -o minimum.tpr
run minimum
dynamics volume "$(steps 100)"
printf 'gen-vel = yes\ngen-temp = 300\ngen-seed = 1\n' >> volume.mdp
gmx grompp -f volume.mdp -c minimum.gro -p topol.top -o volume.tpr
run volume
dynamics pressure "$(steps 100)"
pressure pressure
printf 'continuation = yes\n' >> pressure.mdp
gmx grompp -f pressure.mdp -c volume.gro -t volume.cpt -p topol.top -o pressure.tpr
run pressure

# What is kept: the peptide, every picosecond.
dynamics md "$(steps "$(awk -v ns="$nanoseconds" 'BEGIN { print 1000 * ns }')")"
pressure md
printf 'continuation = yes\nnstxout-compressed = 500\ncompressed-x-grps = Protein\n' >> md.mdp
gmx grompp -f md.mdp -c pressure.gro -t pressure.cpt -p topol.top -o md.tpr
echo Protein | gmx trjconv -s md.tpr -f pressure.gro -o peptide.gro
run md
