// Prints texts with what twitter-text makes of them, one JSON object a line, for tests/twitter_text.rs.
//
//   npm install && node generate.js 200000 1 > cases.ndjson
//
// The first argument is how many, the second a seed: the same two give the same lines.
'use strict';
const twitter = require('twitter-text');

const count = Number(process.argv[2] || 20000);
let state = (Number(process.argv[3] || 1) ^ 0x9e3779b9) >>> 0;

/** mulberry32: small, fast, and the same everywhere. */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const chance = (p) => random() < p;
const many = (most, make) => Array.from({ length: below(most) + 1 }, make).join('');
const between = (first, last) => String.fromCodePoint(first + below(last - first + 1));

// Characters and words -------------------------------------------------------------------------------------------------

const blocks = [
  [0x20, 0x7e], [0x21, 0x2f], [0xa0, 0x24f], [0x250, 0x2ff], [0x300, 0x36f], [0x370, 0x3ff], [0x400, 0x52f],
  [0x530, 0x5ff], [0x600, 0x6ff], [0x700, 0x8ff], [0x900, 0xdff], [0xe00, 0xfff], [0x1000, 0x109f], [0x10a0, 0x13ff],
  [0x1780, 0x18af], [0x1c80, 0x1cbf], [0x1d00, 0x1fff], [0x2000, 0x206f], [0x2070, 0x218f], [0x2190, 0x23ff], [0x2460, 0x27bf],
  [0x2c00, 0x2dff], [0x2e80, 0x30ff], [0x3100, 0x33ff], [0x4e00, 0x9fff], [0xa000, 0xabff], [0xac00, 0xd7ff],
  [0xe000, 0xf8ff], [0xf900, 0xfdff], [0xfe00, 0xfe6f], [0xfe70, 0xfeff], [0xff00, 0xffff], [0x10000, 0x107ff],
  [0x10800, 0x10fff], [0x11000, 0x11fff], [0x12000, 0x13fff], [0x16800, 0x16fff], [0x1b000, 0x1bcff], [0x1d000, 0x1d7ff],
  [0x1e800, 0x1efff], [0x1f000, 0x1faff], [0x20000, 0x2ffff], [0xe0000, 0xe01ff], [0x100000, 0x10ffff],
];
/** Any code point but half a pair. */
const anyPoint = () => {
  const [first, last] = chance(0.9) ? pick(blocks) : [0, 0x10ffff];
  const text = between(first, last);
  return /^[\ud800-\udfff]$/.test(text) ? 'x' : text;
};

const words = [
  'buy', 'Tea', 'BUY', 'x', 'a', 'mañana', 'café', 'cafe\u0301', 'münchen', 'straße', 'İn', 'ın', 'ſ', 'K', 'купить', 'ЧАЙ',
  'Μαχάτμα', 'ς', 'Մահ', 'მაჰ', 'Ა', 'שלום', 'עַל־יְדֵי', 'מ״כ', 'سیاست', 'می\u200cخواهم', 'महात्मा', 'বাংলা', 'தமிழ்', 'ශ්\u200dරී', 'ผู้เริ่ม', 'བོད་སྐད',
  '漢字', 'カタカナ', 'ｻｯｶｰ', 'ひらがな', '云々', '〃', '트위터', 'ﾣﾦﾰ', 'メ～テレ', 'ｈａｓｈ', 'ኢትዮ', '𝕋ea', '𐐀𐐨', '𞤀𞤣', '𠀋', 'q\u0301\u0323', '한', 'e\u0345',
];
const digits = ['0', '1', '2013', '12', '٤٠٦', '۳', '१२', '１２', '๕', '𝟘𝟙', '𑁦', '²', '½', 'Ⅷ', '①', '༣'];
const signs = ['_', '-', '·', '〜', '～', '・', '゠', '゛', '\u200c', '\u200d', '་', '׳', '״', '־', '\ua67e', '_'];
const spaces = [' ', ' ', ' ', ' ', '  ', '\n', '\t', '\u00a0', '\u3000', '\u2028', '\u200b', '\u2060', '\ufeff', '\u0085', '\u180e'];
const points = [
  '.', ',', ':', ';', '!', '?', '…', '。', '、', '！', '？', '/', '\\', '(', ')', '[', ']', '{', '}', '"', '\'', '’', '“', '«', '|',
  '~', '*', '+', '=', '<', '>', '%', '^', '`', '$', '&', '@', '＠', '#', '＃', '-', '–', '—', '_', '．', '｡', '／', '://', '\u200e', '\u202e',
  '\u2066', '\u061c', '\u2032', '\u0000', '\u0007', '\u007f', '\ufffe',
];
const styles = ['', '', '\ufe0f', '\ufe0e', '\u20e3', '\ufe0f\u20e3'];
const skins = ['', '', '🏻', '🏽', '🏿'];
const bases = [
  '☕', '✌', '☝', '🍵', '👍', '❤', '©', '®', '™', '♟', '✋', '🤷', '🏃', '🏋', '⛹', '🕴', '👩', '👨', '👯', '🧞', '🤼', '🏳', '🏴', '👁',
  '1', '#', '*', '🫠', '🦸', '🧑', '🖐', '🀄', '㊗', '\ue50a', '🗨', '👮', '🎅', '🥰', '🪀', '♀', '♂',
];
const joined = [
  '👨‍👩‍👧‍👦', '👩‍👩‍👦', '👩‍❤️‍💋‍👨', '👨‍❤️‍👨', '👩‍🚀', '👨🏿‍⚕️', '👩🏽‍✈️', '🤷🏻‍♀️', '🏋️‍♂️', '🏋🏽‍♀️', '🏳️‍🌈', '🏴‍☠️', '👁‍🗨', '👯‍♂️', '👨‍🦰', '🧑‍🚀',
  '🏴󠁧󠁢󠁳󠁣󠁴󠁿', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁵󠁳󠁴󠁸󠁿', '1️⃣', '#️⃣', '*⃣',
];
const regional = () => between(0x1f1e6, 0x1f1ff);
const emoji = () => pick([
  () => pick(bases) + pick(styles) + pick(skins) + pick(styles),
  () => pick(bases) + pick(skins) + pick(styles) + '\u200d' + pick(bases) + pick(styles),
  () => pick(joined),
  () => pick(joined),
  () => regional() + regional() + (chance(0.3) ? regional() : ''),
  () => between(0x1f300, 0x1faff) + pick(styles) + pick(skins),
  () => between(0x2190, 0x2bff) + pick(styles) + pick(skins),
  () => many(3, () => pick(joined) + (chance(0.5) ? '\u200d' : '')),
])();

// Tags, entities, mentions -----------------------------------------------------------------------------------------------

const word = () => many(3, () => (chance(0.7) ? pick(words) : chance(0.6) ? pick(digits) : pick(signs)));
const hash = () => (chance(0.85) ? '#' : '＃');
const tag = () => hash() + (chance(0.06) ? pick(['\ufe0f', '\u20e3', '\ufe0e', hash()]) : '') + word();
const entity = () => pick(['&#39;', '&#x27;', '&amp;#', '&amp#x', '&lt;#', '&#', '&＃', '&']) + (chance(0.3) ? word() : '');
const mention = () => pick(['@', '＠', '.@']) + word() + (chance(0.3) ? '@' + domain() : '');

// Addresses --------------------------------------------------------------------------------------------------------------

const names = (name) => require(`twitter-text/dist/regexp/${name}`).source.match(/^\(\?:\(\?:(.*?)\)\(\?=/)[1].split('|');
const allTlds = [...names('validGTLD'), ...names('validCCTLD')];
const anyCase = (text) => (chance(0.8) ? text : [...text].map((c) => (chance(0.5) ? c.toUpperCase() : c)).join(''));
const tld = () => anyCase(pick([
  () => pick(allTlds), () => pick(allTlds), () => pick(['com', 'jp', 'co', 'みんな', 'рф', 'vermögensberater', 'გე']),
  () => pick(['example', 'c', 'comm', 'xn--p1ai', 'xn--', 'xn--a-', 'zz', 'local', 'cоm']),
])());
const part = () => (chance(0.08) ? pick(['a', '1', '茶', '😀', 'ö', '-']).repeat(pick([30, 56, 60, 63, 64, 70]))
  : many(4, () => (chance(0.6) ? pick(['a', 'shop', 'x1', 'T', 'www', '0', 't', 'xn--'])
    : chance(0.5) ? pick(words) : chance(0.5) ? pick(['-', '_', '--', '😀', '＃', '\u0301', '–', '。', '．', '"', '\u0001']) : anyPoint())));
const domain = () => pick([
  () => many(3, () => part() + '.') + tld(),
  () => many(2, () => part() + '.') + tld() + pick(['', word(), '.', '-']) + (chance(0.3) ? '.' + tld() : ''),
  () => pick(['t.co', 'T.CO', 'twitter.com', 'shop.example.com', 'a.b.c.de', 'x.co.jp', 'foo.com日本.jp', 'a.como茶a.com', '日本.ab.com.みんな.com']),
])();
const pathPart = () => pick([
  () => word(), () => pick(['/', '//', '#', '@', '.', ',', '!', ';', ':', '~', '-', '–', '|', '$', '%20', '[', ']', '&', '*', '+', '=', '\'']),
  () => `(${word()})`, () => `(${word()}(${word()})${chance(0.5) ? word() : ''})`, () => pick(['(', ')', '()', '((', '))']),
  () => tag(), () => `@${pick(words)}/`, () => pick(['abc', 'ABC1', 'x'.repeat(41), 'x'.repeat(40)]), () => anyPoint(), () => domain(),
])();
const queryPart = () => pick([() => '?', () => pick(words), () => '&a=', () => '#x', () => tag(), () => pick(points), () => '(a)', () => domain()])();
const address = () => (chance(0.55) ? anyCase(pick(['http://', 'https://'])) : pick(['', '', '', 'ftp://', 'http:/', 'http', '//', 'ſhttps://', 'httpſ://']))
  + domain() + (chance(0.15) ? `:${pick(['80', '', '8080', 'x', '١'])}` : '') + (chance(0.6) ? '/' + (chance(0.9) ? many(5, pathPart) : '') : '')
  + (chance(0.2) ? '?' + many(4, queryPart) : '');

// Texts ------------------------------------------------------------------------------------------------------------------

const pieces = [
  [16, tag], [12, word], [14, () => pick(spaces)], [10, () => pick(points)], [8, emoji], [8, address], [2, entity], [2, mention],
  [4, anyPoint], [1, () => many(4, anyPoint)], [1, () => pick(spaces) + tag() + pick(spaces)], [1, () => '.' + tld()],
];
const total = pieces.reduce((sum, [weight]) => sum + weight, 0);
function piece() {
  let at = below(total);
  for (const [weight, make] of pieces) {
    if (at < weight) return make();
    at -= weight;
  }
  return '';
}
/** Some texts are cut and put together anew, which no grammar would do. */
function shaken(text) {
  const all = [...text];
  const at = below(all.length + 1);
  return pick([
    () => all.slice(at).concat(all.slice(0, at)).join(''),
    () => all.filter(() => chance(0.9)).join(''),
    () => all.slice(0, at).join('') + text,
    () => all.slice(0, at).concat(anyPoint(), all.slice(at)).join(''),
  ])();
}

let lines = [];
for (let i = 0; i < count; i++) {
  let text = many(chance(0.05) ? 60 : 9, piece);
  if (chance(0.15)) text = shaken(text);
  if (chance(0.002)) text += `http://a.com/${'x'.repeat(pick([4082, 4083, 4084, 4085]))} b.com/${'y'.repeat(pick([4082, 4083, 4084]))}`;
  if (!text.isWellFormed?.() && /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)) throw new Error('half a pair');
  const line = { text, hashtags: twitter.extractHashtags(text), weighted_length: twitter.parseTweet(text).weightedLength };
  lines.push(JSON.stringify(line));
  if (lines.length === 1000 || i === count - 1) {
    process.stdout.write(lines.join('\n') + '\n');
    lines = [];
  }
}
