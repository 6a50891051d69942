/**
 * The filter of system calls for bubblewrap, as a classic BPF program (seccomp(2), linux/filter.h). Container engines bring
 * their own. It refuses what gives a program on the host more than it needs: namespaces and mounts of its own, the keyring,
 * kernel modules, and TIOCSTI, by which a program types into the terminal it shares with whoever started it.
 */

/** The architectures there is a filter for, as Node names them. */
export type FilterArch = 'x64' | 'arm64';

/** Of linux/audit.h. */
const AUDIT_ARCH: Readonly<Record<FilterArch, number>> = { x64: 0xc000_003e, arm64: 0xc000_00b7 };
/** On x86-64, numbers from here on are the x32 interface: the same calls under other numbers. */
const X32_BIT = 0x4000_0000;

/** Offsets in struct seccomp_data; arguments are 64 bits, their low half first on both architectures. */
const OFFSET = { nr: 0, arch: 4, arg0: 16, arg1: 24 } as const;

/** BPF_LD|BPF_W|BPF_ABS, BPF_JMP with BPF_JEQ, BPF_JGE and BPF_JSET, BPF_RET (all with BPF_K). */
const LOAD = 0x20;
const JEQ = 0x15;
const JGE = 0x35;
const JSET = 0x45;
const RET = 0x06;

const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const errno = (number: number): number => 0x0005_0000 | number;
const EPERM = 1;
const ENOSYS = 38;

/** Numbers of the system calls that are refused whatever their arguments (asm/unistd.h). */
const REFUSED: Readonly<Record<FilterArch, readonly number[]>> = {
  // mount umount2 pivot_root chroot unshare setns | swapon swapoff reboot | init_module delete_module finit_module
  // kexec_load kexec_file_load | add_key request_key keyctl | bpf perf_event_open userfaultfd | open_by_handle_at
  // name_to_handle_at acct quotactl settimeofday clock_settime adjtimex | iopl ioperm | open_tree move_mount fsopen fsconfig
  // fsmount fspick mount_setattr | io_uring_setup io_uring_enter io_uring_register
  x64: [
    165, 166, 155, 161, 272, 308, 167, 168, 169, 175, 176, 313, 246, 320, 248, 249, 250, 321, 298, 323, 304, 303, 163, 179, 164,
    227, 159, 172, 173, 428, 429, 430, 431, 432, 433, 442, 425, 426, 427,
  ],
  arm64: [
    40, 39, 41, 51, 97, 268, 224, 225, 142, 105, 106, 273, 104, 294, 217, 218, 219, 280, 241, 282, 265, 264, 89, 60, 170, 112,
    171, 428, 429, 430, 431, 432, 433, 442, 425, 426, 427,
  ],
};
const IOCTL: Readonly<Record<FilterArch, number>> = { x64: 16, arm64: 29 };
const CLONE: Readonly<Record<FilterArch, number>> = { x64: 56, arm64: 220 };
const CLONE3 = 435;
/** TIOCSTI types into a terminal, TIOCLINUX pastes into one (asm-generic/ioctls.h). */
const TERMINAL_IOCTLS = [0x5412, 0x541c];
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET (linux/sched.h); clone knows no NEWTIME. */
const CLONE_NEW = 0x0002_0000 | 0x0200_0000 | 0x0400_0000 | 0x0800_0000 | 0x1000_0000 | 0x2000_0000 | 0x4000_0000;

/** One instruction: code, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

/** The program. Each block answers or falls through to the next. */
function program(arch: FilterArch): Instruction[] {
  const refuseIf = (operand: number, answer: number): Instruction[] => [
    [JEQ, 0, 1, operand],
    [RET, 0, 0, answer],
  ];
  return [
    [LOAD, 0, 0, OFFSET.arch],
    [JEQ, 1, 0, AUDIT_ARCH[arch]],
    [RET, 0, 0, KILL], // A 32-bit program would call by other numbers.
    [LOAD, 0, 0, OFFSET.nr],
    ...(arch === 'x64'
      ? ([
          [JGE, 0, 1, X32_BIT],
          [RET, 0, 0, errno(ENOSYS)],
        ] as const)
      : []),
    // Its arguments are in memory, which a filter cannot look at: without it, libraries use clone.
    ...refuseIf(CLONE3, errno(ENOSYS)),
    ...REFUSED[arch].flatMap((number) => refuseIf(number, errno(EPERM))),
    [JEQ, 0, 4, CLONE[arch]],
    [LOAD, 0, 0, OFFSET.arg0],
    [JSET, 0, 1, CLONE_NEW],
    [RET, 0, 0, errno(EPERM)],
    [RET, 0, 0, ALLOW],
    [JEQ, 0, 1 + TERMINAL_IOCTLS.length, IOCTL[arch]],
    [LOAD, 0, 0, OFFSET.arg1],
    ...TERMINAL_IOCTLS.map((operand, index): Instruction => [JEQ, TERMINAL_IOCTLS.length - index, 0, operand]),
    [RET, 0, 0, ALLOW],
    [RET, 0, 0, errno(EPERM)],
  ];
}

/** The filter as the bytes of an array of struct sock_filter, for `bwrap --seccomp`. */
export function seccompFilter(arch: FilterArch): Buffer {
  const instructions = program(arch);
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [index, [code, ifTrue, ifFalse, operand]] of instructions.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(ifTrue, index * 8 + 2);
    bytes.writeUInt8(ifFalse, index * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, index * 8 + 4);
  }
  return bytes;
}
