# The probe's guest: from reset through protected to long mode, a million locked additions, then its end.
# It is the 64 KiB at 0xFFFF0000 and, once more, at 0x000F0000; addresses here are within them.
#
#   as probe.s -o probe.o && ld -Ttext 0 --oformat binary -m elf_x86_64 probe.o -o probe.bin && head -c 200 probe.bin | xxd
#
# guest.rs holds the bytes: nobody needs an assembler to build this crate.
.code16
start:
  cli
  lgdtl %cs:table
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $0x08, $(0xF0000 + protected)
.code32
protected:
  movw $0x10, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $0x1000, %edi            # three tables of pages, empty
  xorl %eax, %eax
  movl $0xC00, %ecx
  rep stosl
  movl $0x2003, 0x1000
  movl $0x3003, 0x2000
  movl $0x83, 0x3000            # the first 2 MiB
  movl %cr4, %eax
  orl $0x20, %eax               # long addresses
  movl %eax, %cr4
  movl $0x1000, %eax
  movl %eax, %cr3
  movl $0xC0000080, %ecx
  rdmsr
  orl $0x100, %eax              # long mode
  wrmsr
  movl %cr0, %eax
  orl $0x80000000, %eax         # pages
  movl %eax, %cr0
  ljmpl $0x18, $(0xF0000 + long)
.code64
long:
  movl $0x100000, %ecx
1: lock incl 0x8000
  decl %ecx
  jnz 1b
  movb $0x2a, %al
  outb %al, $0xf4               # QEMU ends with 2 * 0x2a + 1
2: hlt
  jmp 2b
.balign 8
segments:
  .quad 0
  .quad 0x00CF9A000000FFFF
  .quad 0x00CF92000000FFFF
  .quad 0x00AF9A000000FFFF
table:
  .word 31
  .long 0xF0000 + segments
.code16
.org 0xFFF0
  jmp start
.org 0x10000
