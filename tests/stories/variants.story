# An offer may have variants (name, synonyms, own quantity, optional price) and max_per_purchase: any order and case,
# before or after the hashtag; unknown_variant → a reply that lists what there is, no hold.

story: a size after the hashtag, before it, and in any case
  offer Shirt: #BuyShirt, 15.00 USD, in S 1 of them, in M or medium 2 of them, in L 5 of them at 16.00 USD
  buyer alice on x
  buyer bob on x
  buyer carl on x
  post alice p1 "#BuyShirt M" → pending
  reply to p1 says "Shirt, M: "
  purchase alice Shirt is pending, in M
  post bob p2 "A medium one, please! #buyshirt" → pending
  purchase bob Shirt is pending, in M
  post carl p3 "#BuyShirt, l." → pending
  reply to p3 says "$16.00"
  stock Shirt in M: 0 available, 2 held, 0 sold
  stock Shirt: 5 available, 3 held, 0 sold
  post carl p4 "#ConfirmShirt" → confirmed
  charge carl Shirt is $16.00 on tok_visa
  gateway says paid to carl Shirt
  stock Shirt in L: 4 available, 0 held, 1 sold
story: no size, two sizes, a size that there is not
  offer Shirt: #BuyShirt, in S 1 of them, in M 2 of them, in "Blue L" 5 of them
  buyer alice on x
  post alice p1 "#BuyShirt" → unknown_variant
  reply to p1 says "Post #BuyShirt with one of: S, M, Blue L."
  post alice p2 "#BuyShirt S or M?" → unknown_variant
  post alice p3 "#BuyShirt XXL" → unknown_variant
  post alice p4 "#BuyShirt blue" → unknown_variant
  stock Shirt: 8 available, 0 held, 0 sold
story: only what there is left is listed
  offer Shirt: #BuyShirt, in S 1 of them, in M 2 of them
  buyer alice on x
  buyer bob on x
  buyer carl on x
  buyer dora on x
  post alice p1 "#BuyShirt s" → pending
  post bob p2 "#BuyShirt" → unknown_variant
  reply to p2 says "one of: M."
  post bob p3 "#BuyShirt S" → sold_out
  post bob p4 "#BuyShirt M" → pending
  post carl p5 "#BuyShirt M" → pending
  post dora p6 "#BuyShirt" → sold_out
story: most words win
  offer Shirt: #BuyShirt, in Blue 5 of them, in "Blue Large" or "blue L" 5 of them, in Red 5 of them
  buyer alice on x
  buyer bob on x
  post alice p1 "large BLUE #BuyShirt" → pending
  purchase alice Shirt is pending, in Blue Large
  post bob p2 "Blue! #BuyShirt" → pending
  purchase bob Shirt is pending, in Blue
story: words of hashtags, mentions and links are no sizes
  offer Shirt: #BuyShirt, in M 5 of them, in L 5 of them
  buyer alice on x
  post alice p1 "@L #M https://shop.example/L #BuyShirt" → unknown_variant
story: one variant needs no word
  offer Shirt: #BuyShirt, in Blue 5 of them
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  purchase alice Shirt is pending, in Blue
story: two of them
  offer Shirt: #BuyShirt, 15.00 USD, limit 5, up to 3 at once, 5 in stock
  buyer alice on x
  post alice p1 "x2 #BuyShirt" → pending
  reply to p1 says "Shirt ×2: "
  reply to p1 says "$30.00"
  purchase alice Shirt is pending, 2 units
  stock Shirt: 3 available, 2 held, 0 sold
  post alice p2 "#ConfirmShirt" → confirmed
  charge alice Shirt is $30.00 on tok_visa
  gateway says paid to alice Shirt
  order alice Shirt shows version 1, Shirt, $30.00
  stock Shirt: 3 available, 0 held, 2 sold
  refund alice Shirt and restock
  bank gives back to alice Shirt
  stock Shirt: 5 available, 0 held, 0 sold
story: amounts in other forms, and a size that looks like one
  offer Shirt: #BuyShirt, limit 9, up to 9 at once, in L, in 2X
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt 2x" → pending
  purchase alice Shirt is pending, in 2X
  post bob p2 "#BuyShirt ×3 L" → pending
  purchase bob Shirt is pending, 3 units, in L
story: without more than one at once an amount says nothing
  offer Shirt: #BuyShirt, limit 5, 5 in stock
  buyer alice on x
  post alice p1 "#BuyShirt x3" → pending
  purchase alice Shirt is pending
# More wanted than there is: what is left is held and the reply says so.
story: what is left is held, and the reply says so
  offer Shirt: #BuyShirt, 15.00 USD, limit 5, up to 5 at once, 2 in stock
  buyer alice on x
  post alice p1 "#BuyShirt x4" → pending
  reply to p1 says "You can have 2 of 4."
  reply to p1 says "$30.00"
  purchase alice Shirt is pending, 2 units
story: the limit counts units
  offer Shirt: #BuyShirt, limit 3, up to 2 at once, 9 in stock
  buyer alice on x
  post alice p1 "#BuyShirt x2" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p3 "#BuyShirt x2" → pending
  reply to p3 says "You can have 1 of 2."
  post alice p4 "#ConfirmShirt" → confirmed
  post alice p5 "#BuyShirt" → limit_reached
story: a late confirmation needs all of its units free
  offer Shirt: #BuyShirt, limit 5, up to 5 at once, 3 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt x3" → pending
  sent p1
  after 16 minutes
  tick → 1 freed
  post bob p2 "#BuyShirt x2" → pending
  post alice p3 "#ConfirmShirt", made 2 minutes ago → sold_out
  post bob p4 "#PassShirt" → passed
  post alice p5 "#ConfirmShirt", made 2 minutes ago → confirmed
  stock Shirt: 0 available, 3 held, 0 sold
story: variants that say the same, and others that cannot be
  offer A: #BuyA, in M, in "m" → refused: says the same
  offer B: #BuyB, in Medium or M, in Large or m → refused: says the same
  offer C: #BuyC, 5 in stock, in M → refused: each variant has its own
  offer D: #BuyD, in "@shop" → refused: read as a mention
  offer E: #BuyE, in M at 3.00 EUR → refused: currency of the offer
  offer F: #BuyF, 900000.00 USD, up to 2 at once → refused: cost at most
  offer G: #BuyG, up to 2000 at once → refused: must be from 1 to 1000
story: variants that are held, sold or waited for stay
  offer Shirt: #BuyShirt, in S 2 of them, in M 2 of them
  buyer alice on x
  post alice p1 "#BuyShirt M" → pending
  change Shirt to in S 5 of them → refused: must keep "M": 1 are held, 0 sold
  change Shirt to in S 5 of them, in M 2 of them, in L 1 of them
  stock Shirt: 7 available, 1 held, 0 sold
  change Shirt to in M 1 of them
  stock Shirt: 0 available, 1 held, 0 sold
  change Shirt stock to 5 → refused: each variant has its own
story: variants cannot come to an offer that has sold without
  offer Shirt: #BuyShirt, 2 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  change Shirt to in S 2 of them → refused: has sold without
story: fewer of a variant than are held and sold
  offer Shirt: #BuyShirt, in S 2 of them
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt S" → pending
  post bob p2 "#BuyShirt S" → pending
  change Shirt to in S 1 of them → refused: must be at least 2: 2 are held and 0 sold
