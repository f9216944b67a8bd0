# Limits that keep a shop safe, on unless somebody turns them off: per account and per card open holds, purchases and
# spending per day; two expired holds and a pause; a wait for new accounts; captures per hour and network.

story: an account holds no more than so many at once
  limits: open 2
  offer Shirt: #BuyShirt
  offer Mug: #BuyMug
  offer Hat: #BuyHat
  buyer alice on mastodon and x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyMug" on x → pending
  post alice p3 "#BuyHat" → limit_reached
  reply to p3 says "as much as one buyer may order for now"
  reply to p3 says "Nothing was charged"
  why p3 "as many holds open as one may have (it had 2)"
  post alice p4 "#ConfirmShirt" → confirmed
  post alice p5 "#BuyHat" → pending
story: an account buys no more often than so many times in 24 hours
  limits: purchases 2
  offer Shirt: #BuyShirt, limit 9
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  cancel alice Shirt
  post alice p2 "#BuyShirt" → pending
  post alice p3 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p4 "#BuyShirt" → pending
  post alice p5 "#ConfirmShirt" → confirmed
  gateway says declined to alice Shirt
  post alice p6 "#BuyShirt" → pending
  post alice p7 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p8 "#BuyShirt" → limit_reached
  why p8 "bought as often as one may in 24 hours (it had 2)"
  post bob q1 "#BuyShirt" → pending
  after 24 hours 1 ms
  post alice p9 "#BuyShirt" → pending
story: what is given back was still bought
  limits: purchases 1
  offer Shirt: #BuyShirt, limit 9
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  gateway says paid to alice Shirt
  refund alice Shirt
  bank gives back to alice Shirt
  purchase alice Shirt is refunded
  post alice p3 "#BuyShirt" → limit_reached
story: an account spends no more than so much in 24 hours, but always once
  limits: spending 40.00 USD
  offer Shirt: #BuyShirt, 15.00 USD, limit 9, up to 3 at once
  offer Coat: #BuyCoat, 90.00 USD
  offer Tea: #BuyTea, 30.00 EUR
  buyer alice on mastodon
  buyer bob on mastodon
  post bob q1 "#BuyCoat" → pending
  post bob q2 "#BuyShirt" → limit_reached
  why q2 "spend more than one may in 24 hours (9000 in minor units before)"
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post alice p3 "#BuyShirt x2" → limit_reached
  post alice p4 "#BuyShirt" → pending
  post alice p5 "#BuyTea" → pending
  after 24 hours 1 ms
  post bob q3 "#BuyShirt" → pending
story: two holds that nobody confirmed, and a pause
  network mastodon: reply wait 10 minutes, grace 30 seconds
  offer Shirt: #BuyShirt, window 15 minutes, limit 9
  offer Mug: #BuyMug
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 16 minutes
  tick → 1 freed
  post alice p2 "#BuyShirt" → pending
  sent p2
  after 16 minutes
  tick → 1 freed
  post alice p3 "#BuyMug" → limit_reached
  why p3 "not confirmed; it has to pause (for 15 minutes more)"
  after 14 minutes 59 seconds
  post alice p4 "#BuyShirt" → limit_reached
  after 1 second
  post alice p5 "#BuyShirt" → pending
  post alice p6 "#ConfirmShirt" → confirmed
story: a hold whose reply was never out counts for nothing
  network mastodon: reply wait 10 minutes, grace 30 seconds
  offer Shirt: #BuyShirt, window 15 minutes, limit 9
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  failed p1 for good
  after 26 minutes
  tick → 1 freed
  post alice p2 "#BuyShirt" → pending
  after 26 minutes
  tick → 1 freed
  post alice p3 "#BuyShirt" → pending
story: a confirmation in time is honoured whatever the limits say
  limits: open 1, purchases 1, pause after 1 for 1 hour
  offer Shirt: #BuyShirt, window 15 minutes, limit 9
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 16 minutes
  tick → 1 freed
  post alice p2 "#ConfirmShirt" made 2 minutes ago → confirmed
story: new accounts wait, where the shop wants it
  limits: new accounts wait 1 hour
  offer Shirt: #BuyShirt
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → limit_reached
  why p1 "too new to buy (for 60 minutes more)"
  offer Deal: #AmexShop, gives 25.00 USD for 75.00 USD
  post alice p3 "#AmexShop" → limit_reached
  after 1 hour
  post alice p2 "#BuyShirt" → pending
  post alice p4 "#AmexShop" → enrolled
story: a card has limits of its own, whoever has linked it
  limits: per card open 1
  offer Shirt: #BuyShirt, limit 9
  offer Mug: #BuyMug
  buyer alice on mastodon pays with tok_visa.family
  buyer bob on mastodon pays with tok_visa.family
  buyer carl on mastodon pays with tok_visa
  buyer dora on mastodon pays with tok_visa
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyMug" → limit_reached
  why p2 "The accounts of this card have as many holds open as one card may have (it had 1)"
  post carl p3 "#BuyShirt" → pending
  post dora p4 "#BuyMug" → pending
  card bob tok_visa.own
  post bob p5 "#BuyMug" → pending
  erase alice
  account alice is erased and forgotten
story: spending and purchases of a card add up over its accounts
  limits: per card purchases 2, spending 40.00 USD
  offer Shirt: #BuyShirt, 15.00 USD, limit 9
  offer Coat: #BuyCoat, 30.00 USD
  buyer alice on mastodon pays with tok_visa.family
  buyer bob on mastodon pays with tok_visa.family
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyCoat" → limit_reached
  why p2 "The accounts of this card would spend more than one card may in 24 hours"
  post bob p3 "#BuyShirt" → pending
  post alice p4 "#ConfirmShirt" → confirmed
  post alice p5 "#BuyShirt" → limit_reached
  why p5 "The accounts of this card have bought as often as one card may in 24 hours (it had 2)"
story: the offer's own limit comes first, and who waits is told the place
  limits: open 1
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  offer Mug: #BuyMug
  buyer alice on mastodon
  buyer bob on mastodon
  post bob q1 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → waitlisted, number 1
  post alice p2 "#BuyMug" → pending
  post bob q2 "#ConfirmShirt" → confirmed
  post bob q3 "#BuyShirt" → limit_reached
  why q3 "it had 1"
story: whoever may not buy when the turn comes is passed over
  limits: open 1
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  offer Mug: #BuyMug
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post carl p0 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → waitlisted, number 1
  post bob p2 "#BuyShirt" → waitlisted, number 2
  post alice p3 "#BuyMug" → pending
  cancel carl Shirt
  purchase bob Shirt is pending
  stock Shirt: 0 available, 1 held, 0 sold
story: more captures in an hour than a network may have wait for an operator
  limits: captures 2
  offer Shirt: #BuyShirt, 10 in stock
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  buyer emil on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  post carl p3 "#BuyShirt" → pending
  post dora p4 "#BuyShirt" → pending
  post emil p5 "#BuyShirt" → pending
  post alice c1 "#ConfirmShirt" → confirmed
  post bob c2 "#ConfirmShirt" → confirmed
  post carl c3 "#ConfirmShirt" → confirmed
  capture alice Shirt goes on
  capture bob Shirt goes on
  capture carl Shirt waits
  stock Shirt: 5 available, 5 held, 0 sold
  post emil c5 "#ConfirmShirt" → confirmed
  capture emil Shirt goes on
  after 3 hours
  capture carl Shirt waits
  operator resumes
  capture carl Shirt goes on
  gateway says paid to carl Shirt
  purchase carl Shirt is paid
story: once resumed, the hour begins anew
  limits: captures 1
  offer Shirt: #BuyShirt, limit 9
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice c1 "#ConfirmShirt" → confirmed
  post bob p2 "#BuyShirt" → pending
  post bob c2 "#ConfirmShirt" → confirmed
  capture bob Shirt waits
  operator resumes
  post carl p3 "#BuyShirt" → pending
  post carl c3 "#ConfirmShirt" → confirmed
  capture carl Shirt goes on
  after 2 hours
  post alice p4 "#BuyShirt" → pending
  post alice c4 "#ConfirmShirt" → confirmed
  capture alice Shirt goes on
story: limits that say nothing sensible are refused
  limits: open 0 → refused: must be from 1
  limits: spending 10.00 USD spending 20.00 USD → refused: is named before
  limits: spending 0.00 USD → refused: must be from 1 to
  limits: captures 0 → refused: must be from 1
  limits: none
