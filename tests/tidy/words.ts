// Patterns of language that this project does not use, in comments, documents and the host's messages, with
// what to say instead.

export const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [
    /\b(?:is|are|was|were) no (?!longer\b|more than\b|fewer than\b|less than\b|better than\b|one\b)\w+/i,
    'is not a ..., there is no ...',
  ],
  [
    /\b(?:nobody|somebody|whoever)(?:['’]s)?\b/i,
    'name who: a caller, another thread; free, unowned',
  ],
  [
    /\bso (?:many|much|long)\b(?! (?:as|that|more|less|faster|slower|larger|smaller)\b)/i,
    'the number, size, duration',
  ],
  [/\bof (?:before|now)\b/i, 'previous, current'],
  [/\bbeside (?!each\b)/i, 'next to; compared with; besides'],
  [/\bin vain\b/i, 'without effect'],
  [/\bfor good\b/i, 'permanently'],
  [/\bas good as\b/i, 'almost'],
  [/\bbut for\b/i, 'except'],
  [/\bg(?:ives?|ave|iven|iving) back\b/i, 'returns, frees'],
];
