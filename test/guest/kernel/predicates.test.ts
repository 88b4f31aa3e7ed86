/*
 * The tests that any machine can run, with the kernel that has all: random predicates against the same expression
 * computed here, and what the verifier says of every program.
 */
import '../../host/kernel/predicates.test.ts';
import '../../host/kernel/verifier.test.ts';
