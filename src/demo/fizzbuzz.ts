/** What a child says when its turn comes. */
export function fizzBuzz(number: number): string {
  const said = `${number % 3 === 0 ? 'Fizz' : ''}${number % 5 === 0 ? 'Buzz' : ''}`;
  return said === '' ? String(number) : said;
}
