// Writes src/till/text/tables.rs and src/till/text/tlds.rs from twitter-text's own regular expressions.
//
//   npm install && node make_tables.js
//
// Every class is asked of JavaScript's engine, one code unit after another, because twitter-text's expressions ignore
// case: /[\u0300-\u036f]/i also holds U+03B9, as U+0345 has the same upper case. No reading of the lists would tell.
'use strict';
const fs = require('fs');
const path = require('path');

const regexps = (name) => require(`twitter-text/dist/regexp/${name}`);
const version = require('twitter-text/package.json').version;
const out = path.join(__dirname, '..', '..', 'src', 'till', 'text');

/** The ranges of code points up to `last` for which `holds(string)` is true. */
function ranges(last, holds) {
  const found = [];
  for (let point = 0; point <= last; point++) {
    if (!holds(String.fromCodePoint(point))) continue;
    const range = found[found.length - 1];
    if (range && range[1] === point - 1) range[1] = point;
    else found.push([point, point]);
  }
  return found;
}

const whole = (source, flags) => {
  const expression = new RegExp(`^(?:${source})$`, flags);
  return (text) => expression.test(text);
};

const hex = (number) => {
  const digits = number.toString(16).toUpperCase();
  return `0x${digits.length > 5 ? digits.replace(/(?=(?:.{4})+$)(?!^)/g, '_') : digits}`;
};

/** `items` in lines of at most 110 characters. */
function lines(items) {
  const all = [];
  let line = '   ';
  for (const item of items) {
    if (line.length + item.length + 2 > 110) {
      all.push(line);
      line = '   ';
    }
    line += ` ${item},`;
  }
  all.push(line);
  return all.join('\n');
}

const table = (name, doc, type, items) =>
  `/// ${doc}\npub(super) const ${name}: &[${type}] = &[\n${lines(items)}\n];\n`;
const rangeTable = (name, doc, found) =>
  table(name, doc, '(u32, u32)', found.map(([first, last]) => `(${hex(first)}, ${hex(last)})`));

// Hashtags ------------------------------------------------------------------------------------------------------------

const letter = whole(regexps('hashtagAlpha').source, 'i');
const inTag = whole(regexps('hashtagAlphaNumeric').source, 'i');
const letters = ranges(0x10ffff, letter);
const others = ranges(0x10ffff, (text) => inTag(text) && !letter(text));

// Addresses: classes of UTF-16 code units, because the expressions know no others ---------------------------------------

const domainChar = whole(regexps('validDomainChars').source, 'i');
const domainBreaks = ranges(0xffff, (unit) => !domainChar(unit) && unit !== '_' && unit !== '-' && unit !== '.');
const preceding = whole(regexps('validUrlPrecedingChars').source.replace('|^', ''), 'i');
const noPreceding = ranges(0xffff, (unit) => !preceding(unit));
const asciiDomain = ranges(0xffff, whole(`[\\-a-z0-9${regexps('latinAccentChars').source}]`, 'i'));
const pathChar = whole(regexps('validGeneralUrlPathChars').source, 'i');
const pathEnd = whole(regexps('validUrlPathEndingChars').source, 'i');
const pathChars = ranges(0xffff, pathChar);
const pathEnds = ranges(0xffff, pathEnd);
if (!ranges(0xffff, pathEnd).every(([first]) => pathChar(String.fromCharCode(first)))) {
  throw new Error('a path may end with a character that it may not hold: src/till/text/url.rs relies on it');
}
for (let unit = 0x80; unit <= 0xffff; unit++) {
  const text = String.fromCharCode(unit);
  for (const name of ['validUrlQueryChars', 'validUrlQueryEndingChars']) {
    if (regexps(name).test(text)) throw new Error(`${name} holds more than ASCII: see src/till/text/url.rs`);
  }
}

// Top-level domains ---------------------------------------------------------------------------------------------------

const names = (name) => regexps(name).source.match(/^\(\?:\(\?:(.*?)\)\(\?=/)[1].split('|');
const all = [...names('validGTLD'), ...names('validCCTLD')];
const isAscii = (name) => /^[a-z0-9]+$/.test(name);
// The order of byte values, in which Rust's binary_search compares.
const ascii = [...new Set(all.filter(isAscii))].sort();
const international = all.filter((name) => !isAscii(name)).map((name) => [...name].map((c) => {
  const upper = c.toUpperCase();
  return upper.length === 1 && (c < '\x80' || upper >= '\x80') ? upper : c;
}).join(''));

// Emoji: the ten alternatives of twemoji-parser's expression ------------------------------------------------------------

const twemoji = require('twemoji-parser/dist/lib/regex').default.source;

/** Splits at the bars outside of all brackets. */
function alternatives(source) {
  const parts = [''];
  let depth = 0;
  let inClass = false;
  for (const token of source.match(/\\u[0-9a-f]{4}|\\.|[^]/g)) {
    if (!inClass && token === '(') depth++;
    if (!inClass && token === ')') depth--;
    if (token === '[') inClass = true;
    if (token === ']') inClass = false;
    if (token === '|' && depth === 0 && !inClass) parts.push('');
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** The code points that `source` matches all by themselves. */
const points = (source) => ranges(0x10ffff, whole(source, ''));

const SKIN = '(?:\\ud83c[\\udffb-\\udfff])?';
const TEXT_STYLE = '(?:\\ufe0f|(?!\\ufe0e))';
/** `source` without `before` and `after`, which must be there. */
function between(source, before, after) {
  if (!source.startsWith(before) || !source.endsWith(after)) throw new Error(`twemoji-parser changed: ${source}`);
  return source.slice(before.length, source.length - after.length);
}

const [jobs, athletes, people, families, keycaps, marks, symbols, hands, rest, selector, ...more] = alternatives(twemoji);
if (more.length || keycaps !== '[#*0-9]\\ufe0f?\\u20e3' || selector !== '\\ufe0f') throw new Error('twemoji-parser changed');

const tools = alternatives(between(jobs, `(?:\\ud83d[\\udc68\\udc69])${SKIN}\\u200d(?:`, ')'));
const toolsStyled = tools.filter((part) => part.endsWith('\\ufe0f')).map((part) => part.replace(/\\ufe0f$/, ''));
const toolsBare = tools.filter((part) => !part.endsWith('\\ufe0f'));
const athlete = between(athletes, '', '((?:\\ud83c[\\udffb-\\udfff]|\\ufe0f)\\u200d[\\u2640\\u2642]\\ufe0f)');
const person = between(people, '', `${SKIN}\\u200d[\\u2640\\u2642]\\ufe0f`);
const mark = between(marks, '(?:', '\\ufe0f)');
const symbol = between(symbols, '', TEXT_STYLE);
const handParts = alternatives(between(hands, '(?:', `)${SKIN}`));
const styledHand = between(handParts[0], '', TEXT_STYLE);
const bareHand = handParts[1];

/** All strings of one alternative without quantifiers: literals and classes, in the order of the expression. */
function expand(source) {
  let strings = [''];
  const tokens = source.match(/\\u[0-9a-f]{4}|\[[^\]]*\]|[^\\[\]]/g);
  for (const token of tokens) {
    let units;
    if (token.startsWith('[')) {
      const one = whole(token, '');
      units = [];
      for (let unit = 0; unit <= 0xffff; unit++) if (one(String.fromCharCode(unit))) units.push(String.fromCharCode(unit));
    } else {
      units = [token.startsWith('\\u') ? String.fromCharCode(parseInt(token.slice(2), 16)) : token];
    }
    strings = strings.flatMap((start) => units.map((unit) => start + unit));
  }
  return strings;
}

const family = alternatives(between(families, '(?:', ')')).flatMap(expand);
const restParts = alternatives(between(rest, '(?:', ')'));
const restStrings = restParts.flatMap(expand);
const length = (text) => [...text].length;
const isRegional = (text) => text.codePointAt(0) >= 0x1f1e6 && text.codePointAt(0) <= 0x1f1ff;
const single = restStrings.filter((text) => length(text) === 1);
const pairs = restStrings.filter((text) => length(text) === 2 && isRegional(text));
const regions = restStrings.filter((text) => length(text) > 2);
if (single.length + pairs.length + regions.length !== restStrings.length) throw new Error('twemoji-parser changed');
const flags = Array.from({ length: 26 }, (_, first) => pairs
  .filter((pair) => pair.codePointAt(0) === 0x1f1e6 + first)
  .reduce((bits, pair) => bits | (1 << (pair.codePointAt(2) - 0x1f1e6)), 0) >>> 0);
const escaped = (text) => `"${[...text].map((c) => `\\u{${c.codePointAt(0).toString(16).toUpperCase()}}`).join('')}"`;

const zeros = [];
for (const [first, last] of ranges(0x10ffff, (text) => /^\p{Nd}$/u.test(text))) {
  for (let zero = first; zero <= last; zero += 10) zeros.push(zero);
}

// The files -----------------------------------------------------------------------------------------------------------

const head = (what) => `//! ${what}
//!
//! Generated by \`tests/twitter_text/make_tables.js\` from twitter-text ${version} and twemoji-parser
//! ${require('twemoji-parser/package.json').version} (Apache-2.0 and MIT, Copyright Twitter, Inc. and other contributors). Change the script, never
//! this file.

`;

fs.writeFileSync(path.join(out, 'tables.rs'), head('Which characters stand where: sorted ranges, first and last included.') + [
  rangeTable('HASHTAG_LETTERS', 'Letters and marks of which a hashtag needs at least one.', letters),
  rangeTable('HASHTAG_OTHERS', 'Digits and signs that a hashtag may hold besides its letters.', others),
  rangeTable('DOMAIN_BREAKS', 'Code units that no domain holds (`.`, `-` and `_` are left to the grammar).', domainBreaks),
  rangeTable('NEVER_BEFORE_URL', 'Code units that must not stand before an address.', noPreceding),
  rangeTable('ASCII_DOMAIN', 'Code units of a domain that is linked without a protocol.', asciiDomain),
  rangeTable('PATH', 'Code units of a path, but for parentheses.', pathChars),
  rangeTable('PATH_END', 'Code units with which a path may end.', pathEnds),
  rangeTable('EMOJI_TOOLS', 'What a man or a woman holds after a joiner.', points(toolsBare.join('|'))),
  rangeTable('EMOJI_STYLED_TOOLS', 'The same, with U+FE0F after it.', points(toolsStyled.join('|'))),
  rangeTable('EMOJI_ATHLETES', 'People who need a skin tone or U+FE0F before their gender.', points(athlete)),
  rangeTable('EMOJI_PEOPLE', 'People with a gender after a joiner.', points(person)),
  table('EMOJI_FAMILIES', 'Joined sequences, the first that fits wins.', '&str', family.map(escaped)),
  rangeTable('EMOJI_MARKS', 'Signs that only U+FE0F makes an emoji.', points(mark)),
  rangeTable('EMOJI_SYMBOLS', 'Signs that U+FE0E makes a text.', points(symbol)),
  rangeTable('EMOJI_STYLED_HANDS', 'Signs that U+FE0E makes a text and that have skin tones.', points(styledHand)),
  rangeTable('EMOJI_HANDS', 'Emoji with skin tones.', points(bareHand)),
  table('EMOJI_REGIONS', 'Flags of regions, spelt in tag characters.', '&str', regions.map(escaped)),
  table('EMOJI_FLAGS', 'For each first letter of a flag, the second letters as bits from A on.', 'u32', flags.map(hex)),
  rangeTable('EMOJI', 'Emoji by themselves.', ranges(0x10ffff, (text) => single.includes(text))),
  table('DECIMAL_ZEROS', `The zero of each set of decimal digits (Unicode ${process.versions.unicode}, Nd).`, 'u32', zeros.map(hex)),
].join('\n'));

fs.writeFileSync(path.join(out, 'tlds.rs'), head('Top-level domains, by which an address without a protocol is known.') + [
  `/// The longest name in \`ASCII\`.\npub(super) const LONGEST: usize = ${Math.max(...ascii.map((n) => n.length))};\n`,
  table('ASCII', 'Names in ASCII, lower case, sorted.', '&str', ascii.map((name) => `"${name}"`)),
  table('INTERNATIONAL', 'Other names in upper case; the first that fits wins.', '&str', international.map((name) => `"${name}"`)),
].join('\n'));
