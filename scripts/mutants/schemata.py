"""All mutants in one program: source files in which each place that can be mutated asks which mutant is active."""

import re
from collections import defaultdict
from dataclasses import dataclass

import tree_sitter_rust
from tree_sitter import Language, Parser

RUST = Language(tree_sitter_rust.language())

# Where the compiler evaluates, no switch can be asked.
CONSTANT = {"const_item", "static_item", "const_block", "array_type", "enum_variant", "const_parameter"}

# The room that is added to the crate. Before `main`, each process learns from its environment which mutant is active;
# a process that records marks the places it comes by in a file, one byte each.
SWITCH = """
#![allow(missing_docs, unreachable_pub, static_mut_refs)]
use std::os::raw::{c_char, c_int, c_void};

static mut ACTIVE: u32 = 0;
static mut REACHED: *mut u8 = std::ptr::null_mut();
const RECORDING: u32 = u32::MAX;

unsafe extern "C" {
    fn getenv(name: *const c_char) -> *const c_char;
    fn open(path: *const c_char, flags: c_int, ...) -> c_int;
    fn mmap(at: *mut c_void, size: usize, access: c_int, flags: c_int, file: c_int, offset: i64) -> *mut c_void;
}

extern "C" fn begin() {
    unsafe {
        let number = getenv(c"MUTANT".as_ptr());
        if !number.is_null() {
            ACTIVE = std::ffi::CStr::from_ptr(number).to_str().unwrap().parse().unwrap();
        }
        let path = getenv(c"MUTANTS_REACHED".as_ptr());
        if !path.is_null() {
            let file = open(path, 2);
            assert!(file >= 0);
            REACHED = mmap(std::ptr::null_mut(), COUNT, 3, 1, file, 0).cast();
            ACTIVE = RECORDING;
        }
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static BEGIN: extern "C" fn() = begin;

#[inline(always)]
pub fn at(place: u32) -> u32 {
    unsafe {
        if ACTIVE == RECORDING {
            REACHED.add(place as usize).write(1);
        }
        ACTIVE
    }
}

const COUNT: usize = """


@dataclass
class Mutant:
    number: int
    name: str
    file: str
    genre: str
    replacement: str
    span: dict
    # Of the place: several mutants of one operator share it.
    place: int = 0
    # Why it is not in the program, if so.
    absent: str = ""

    @property
    def returns_opaque(self):
        return "-> impl " in self.name or "<impl " in self.name.partition("-> ")[2]


class Source:
    """One file, with offsets of bytes for cargo-mutants' lines and columns."""

    def __init__(self, text):
        self.text = text
        self.bytes = text.encode()
        self.tree = Parser(RUST).parse(self.bytes)
        self.lines = text.split("\n")
        starts, at = [], 0
        for line in self.lines:
            starts.append(at)
            at += len(line.encode()) + 1
        self.starts = starts

    def offset(self, point):
        line = self.lines[point["line"] - 1]
        return self.starts[point["line"] - 1] + len(line[: point["column"] - 1].encode())

    def node(self, span):
        """The smallest node with exactly this span, or around it."""
        return self.tree.root_node.descendant_for_byte_range(self.offset(span["start"]), self.offset(span["end"]))

    def read(self, node):
        return self.bytes[node.start_byte : node.end_byte].decode()


def ancestor(node, kinds):
    while node is not None and node.type not in kinds:
        node = node.parent
    return node


def is_constant(node):
    """Whether the compiler evaluates what stands here."""
    while node is not None:
        if node.type in CONSTANT:
            return True
        if node.type == "function_item":
            modifiers = [child for child in node.children if child.type == "function_modifiers"]
            if any(b"const" in child.text for child in modifiers):
                return True
        node = node.parent
    return False


def without(text, first, last):
    return text[:first] + text[last:]


class Schemata:
    """Collects the mutants of one file by the node that they change, and writes the file that has them all."""

    def __init__(self, text):
        self.source = Source(text)
        self.alternatives = defaultdict(list)
        self.bodies = defaultdict(list)
        self.arms = {}

    def add(self, mutant):
        """Notes where the mutant goes, or says in it why it cannot."""
        source, genre = self.source, mutant.genre
        node = source.node(mutant.span)
        if is_constant(node):
            mutant.absent = "constant"
            return
        if genre == "FnValue":
            body = ancestor(node, {"function_item"}).child_by_field_name("body")
            self.bodies[body.start_byte].append(mutant)
        elif genre in ("BinaryOperator", "UnaryOperator"):
            node = node.parent
            # cargo-mutants changes the text, so that another operator may bind other operands.
            while node.type == "binary_expression" and node.parent.type == "binary_expression":
                node = node.parent
            self.alternatives[self.key(node)].append((mutant, self.operator_replaced(node, mutant)))
        elif genre == "MatchArmGuard":
            while node.parent.type not in ("match_pattern", "match_arm"):
                node = node.parent
            if node.type in ("let_condition", "let_chain"):
                mutant.absent = "inexpressible"
                return
            self.alternatives[self.key(node)].append((mutant, mutant.replacement))
        elif genre == "MatchArm":
            arm = ancestor(node, {"match_arm"})
            condition = arm.child_by_field_name("pattern").child_by_field_name("condition")
            if condition is None:
                self.arms[arm.start_byte] = mutant
            elif condition.type in ("let_condition", "let_chain"):
                mutant.absent = "inexpressible"
            else:
                self.alternatives[self.key(condition)].append((mutant, "false"))
        elif genre == "StructField":
            whole = ancestor(node, {"struct_expression"})
            start, end = source.offset(mutant.span["start"]), source.offset(mutant.span["end"])
            while source.bytes[end : end + 1] in (b" ", b",", b"\n"):
                end += 1
            text = without(source.bytes, start, end)[whole.start_byte : whole.end_byte - (end - start)].decode()
            self.alternatives[self.key(whole)].append((mutant, text))
        else:
            mutant.absent = "inexpressible"

    @staticmethod
    def key(node):
        return node.start_byte, node.end_byte, node.type

    def operator_replaced(self, node, mutant):
        source = self.source
        start, end = source.offset(mutant.span["start"]), source.offset(mutant.span["end"])
        before, after = source.bytes[node.start_byte : start], source.bytes[end : node.end_byte]
        return before.decode() + mutant.replacement + after.decode()

    def write(self):
        for mutants in [[m for m, _ in found] for found in self.alternatives.values()] + list(self.bodies.values()):
            for mutant in mutants:
                mutant.place = mutants[0].number
        for mutant in self.arms.values():
            mutant.place = mutant.number
        return self.render(self.source.tree.root_node, top=True).decode()

    def render(self, node, top=False):
        parts, at = [], 0 if top else node.start_byte
        for child in node.children:
            parts += [self.source.bytes[at : child.start_byte], self.render(child)]
            at = child.end_byte
        parts.append(self.source.bytes[at : len(self.source.bytes) if top else node.end_byte])
        text = b"".join(parts)
        if node.type == "block" and node.start_byte in self.bodies and node.parent.type == "function_item":
            text = b"{" + self.returns(self.bodies[node.start_byte]) + text[1:]
        if node.type == "match_arm" and node.start_byte in self.arms:
            text = self.guarded(node, text)
        found = [(m, changed) for m, changed in self.alternatives.get(self.key(node), []) if not m.absent]
        return self.chosen(found, text) if found else text

    @staticmethod
    def returns(mutants):
        present = [m for m in mutants if not m.absent]
        if not present:
            return b""
        place = mutants[0].number
        values = {m.number: "" if m.replacement == "()" else f" {m.replacement}" for m in present}
        arms = "".join(f"/*<{n}*/ {n} => return{value}, /*{n}>*/" for n, value in values.items())
        return f"/*[{place}*/ match crate::mutants::at({place}) {{ {arms} _ => {{}} }} /*{place}]*/".encode()

    @staticmethod
    def chosen(found, original):
        place = found[0][0].place
        arms = "".join(f"/*<{m.number}*/ {m.number} => {{ {changed} }} /*{m.number}>*/" for m, changed in found)
        start = f"/*[{place}*/ (match crate::mutants::at({place}) {{ {arms} _ => {{ ".encode()
        return start + original + f" }} }}) /*{place}]*/".encode()

    def guarded(self, arm, text):
        """The arm, with a guard that never holds while its mutant is active."""
        mutant = self.arms[arm.start_byte]
        if mutant.absent:
            return text
        n, end = mutant.number, arm.child_by_field_name("pattern").end_byte - arm.start_byte
        test = f" if /*[{n}*/ /*<{n}*/ (crate::mutants::at({n}) != {n}) /*{n}>*/ /*{n}]*/ "
        return text[:end] + test.encode() + text[end:]


MARK = re.compile(rb"/\*(<(\d+)|(\d+)>|\[(\d+)|(\d+)\])\*/")


def places_of(text):
    """What stands where in a written file: (start, end, mutant or None, place or None), inner ones first."""
    open_mutants, open_places, found = {}, {}, []
    for mark in MARK.finditer(text):
        _, begins, ends, place_begins, place_ends = mark.groups()
        if begins:
            open_mutants[begins] = mark.start()
        elif ends:
            found.append((open_mutants.pop(ends), mark.end(), int(ends), None))
        elif place_begins:
            open_places[place_begins] = mark.start()
        else:
            found.append((open_places.pop(place_ends), mark.end(), None, int(place_ends)))
    return sorted(found, key=lambda entry: entry[1] - entry[0])


def function_around(text, offset):
    """The bytes of the function in which an offset of a written file lies; none outside of functions."""
    node = Parser(RUST).parse(text).root_node.descendant_for_byte_range(offset, offset)
    function = ancestor(node, {"function_item"})
    return (function.start_byte, function.end_byte) if function else (offset, offset)
