/*
 * The one function of TypeBox's `Value` that every attack needs, in a file of its own so that it is loaded by itself.
 */
export { Check } from '@sinclair/typebox/value';
