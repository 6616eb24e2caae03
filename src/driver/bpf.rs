//! An assembler for classic BPF. The kernel runs the assembled programs to select packets.
//!
//! The virtual machine of BPF has an accumulator, an index register and a small memory. A load
//! beyond the end of a packet ends the program, and rejects the packet.

use socket2::SockFilter;

/// The number of octets that an instruction loads: one, two or four.
#[derive(Clone, Copy, Debug)]
pub enum Size {
    Octet,
    Half,
    Word,
}

impl Size {
    fn code(self) -> u32 {
        match self {
            Size::Octet => libc::BPF_B,
            Size::Half => libc::BPF_H,
            Size::Word => libc::BPF_W,
        }
    }
}

/// A comparison of the accumulator with a number or with the index register.
#[derive(Clone, Copy, Debug)]
pub enum Is {
    Equal(u32),
    Above(u32),
    AtLeast(u32),
    /// At least one of these bits is set.
    AnyBit(u32),
    /// The accumulator is greater than the index register.
    AboveIndex,
}

impl Is {
    fn code(self) -> (u32, u32) {
        match self {
            Is::Equal(number) => (libc::BPF_JEQ, number),
            Is::Above(number) => (libc::BPF_JGT, number),
            Is::AtLeast(number) => (libc::BPF_JGE, number),
            Is::AnyBit(bits) => (libc::BPF_JSET, bits),
            Is::AboveIndex => (libc::BPF_JGT | libc::BPF_X, 0),
        }
    }
}

/// A program that is not complete yet. Each jump goes forward, to a label of type `L`.
#[derive(Debug)]
pub struct Program<L> {
    instructions: Vec<Instruction<L>>,
    labels: Vec<(L, usize)>,
}

/// An instruction. A jump without a label goes to the next instruction.
#[derive(Debug)]
struct Instruction<L> {
    code: u32,
    number: u32,
    if_true: Option<L>,
    if_false: Option<L>,
}

impl<L: Copy + PartialEq + std::fmt::Debug> Program<L> {
    /// Returns a program without instructions.
    pub fn new() -> Self {
        Program { instructions: Vec::new(), labels: Vec::new() }
    }

    /// Adds a label to the next instruction.
    pub fn label(&mut self, label: L) {
        self.labels.push((label, self.instructions.len()));
    }

    /// Sets the accumulator to the octets at the offset `at` of the packet.
    pub fn load(&mut self, size: Size, at: u32) {
        self.add(libc::BPF_LD | size.code() | libc::BPF_ABS, at);
    }

    /// Sets the accumulator to octets of the packet. The offset of these octets is the sum of `at`
    /// and the index register.
    pub fn load_indexed(&mut self, size: Size, at: u32) {
        self.add(libc::BPF_LD | size.code() | libc::BPF_IND, at);
    }

    /// Sets the accumulator to the length of the packet.
    pub fn load_length(&mut self) {
        self.add(libc::BPF_LD | libc::BPF_W | libc::BPF_LEN, 0);
    }

    /// Sets the accumulator to a random number.
    pub fn load_random(&mut self) {
        self.load(Size::Word, (libc::SKF_AD_OFF + libc::SKF_AD_RANDOM) as u32);
    }

    /// Sets the index register to the length of the IPv4 header at the offset `at`.
    pub fn load_header_length(&mut self, at: u32) {
        self.add(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, at);
    }

    /// Sets the accumulator to a number.
    pub fn set(&mut self, number: u32) {
        self.add(libc::BPF_LD | libc::BPF_IMM, number);
    }

    /// Sets the index register to a number.
    pub fn set_index(&mut self, number: u32) {
        self.add(libc::BPF_LDX | libc::BPF_IMM, number);
    }

    /// Copies the accumulator into the index register.
    pub fn copy_to_index(&mut self) {
        self.add(libc::BPF_MISC | libc::BPF_TAX, 0);
    }

    /// Copies the index register into the accumulator.
    pub fn copy_from_index(&mut self) {
        self.add(libc::BPF_MISC | libc::BPF_TXA, 0);
    }

    /// Stores the accumulator in the word `place` of the memory.
    pub fn store(&mut self, place: u32) {
        self.add(libc::BPF_ST, place);
    }

    /// Sets the accumulator to the word `place` of the memory.
    pub fn recall(&mut self, place: u32) {
        self.add(libc::BPF_LD | libc::BPF_MEM, place);
    }

    /// Sets the index register to the word `place` of the memory.
    pub fn recall_index(&mut self, place: u32) {
        self.add(libc::BPF_LDX | libc::BPF_MEM, place);
    }

    /// Applies an operation to the accumulator and a number, and stores the result in the
    /// accumulator. `operation` is for example [`libc::BPF_ADD`].
    pub fn compute(&mut self, operation: u32, number: u32) {
        self.add(libc::BPF_ALU | operation | libc::BPF_K, number);
    }

    /// Applies an operation to the accumulator and the index register, and stores the result in the
    /// accumulator.
    pub fn compute_with_index(&mut self, operation: u32) {
        self.add(libc::BPF_ALU | operation | libc::BPF_X, 0);
    }

    /// Jumps to the label `to` if the comparison is true.
    pub fn jump_if(&mut self, is: Is, to: L) {
        self.compare(is, Some(to), None);
    }

    /// Jumps to the label `to` if the comparison is false.
    pub fn jump_unless(&mut self, is: Is, to: L) {
        self.compare(is, None, Some(to));
    }

    /// Jumps to the label `to`.
    pub fn jump(&mut self, to: L) {
        self.compare(Is::Equal(0), Some(to), Some(to));
    }

    /// Ends the program. The kernel accepts the first `octets` octets of the packet, or rejects the
    /// packet if `octets` is 0.
    pub fn end(&mut self, octets: u32) {
        self.add(libc::BPF_RET | libc::BPF_K, octets);
    }

    /// Converts the program to the instructions that the kernel needs.
    pub fn assemble(&self) -> Vec<SockFilter> {
        let distance = |at: usize, to: Option<L>| {
            let Some(to) = to else { return 0 };
            let label = self.labels.iter().find(|(label, _)| *label == to);
            let (_, to) = label.unwrap_or_else(|| panic!("the label {to:?} stands nowhere"));
            u8::try_from(to - at - 1).expect("labels are forward and near")
        };
        let instructions = self.instructions.iter().enumerate();
        instructions
            .map(|(at, it)| {
                let jumps = (distance(at, it.if_true), distance(at, it.if_false));
                SockFilter::new(it.code as u16, jumps.0, jumps.1, it.number)
            })
            .collect()
    }

    fn add(&mut self, code: u32, number: u32) {
        self.instructions.push(Instruction { code, number, if_true: None, if_false: None });
    }

    fn compare(&mut self, is: Is, if_true: Option<L>, if_false: Option<L>) {
        let (code, number) = is.code();
        let code = libc::BPF_JMP | code;
        self.instructions.push(Instruction { code, number, if_true, if_false });
    }
}
