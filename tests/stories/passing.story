# The offer's cancel hashtag (default #Pass…) or deleting the purchase post ends a pending purchase at once: passed.
# After confirming it is the merchant's refund.

story: a change of mind frees the unit at once
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → sold_out
  post alice p3 "No, thanks. #PassShirt" → passed
  reply to p3 says "Nothing was charged"
  purchase alice Shirt is cancelled
  events: purchase.cancelled
  stock Shirt: 1 available, 0 held, 0 sold
  post bob p4 "#BuyShirt" → pending
  post alice p5 "#ConfirmShirt" → nothing_to_confirm
story: the reply says how to let it go
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  reply to p1 says "#PassShirt lets it go"
story: a cancel hashtag of the shop's own
  offer Shirt: #BuyShirt, pass with #NoShirt
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#PassShirt" → no_offer
  post alice p3 "#noshirt" → passed
story: a purchase hashtag without Buy has Pass before it
  offer Shirt: #WantShirt, confirm #Yes
  buyer alice on x
  post alice p1 "#WantShirt" → pending
  post alice p2 "#PassWantShirt" → passed
story: a cancel hashtag that is taken has to be another one
  offer Hat: #BuyHat, pass with #NoThanks
  offer Shirt: #BuyShirt, pass with #NoThanks → refused: is taken
  offer Coat: #BuyCoat, pass with #BuyCoat → refused: must differ
story: a default that is taken is left out
  offer Pass: #PassShirt, confirm #YesPass
  offer Shirt: #BuyShirt
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  reply to p1 never says "#PassShirt"
  delete p1 → passed
story: after confirming it is the merchant's refund
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post alice p3 "#PassShirt" → already_confirmed
  reply to p3 says "ask the shop for a refund"
  purchase alice Shirt is capturing
  gateway says paid to alice Shirt
  post alice p4 "#PassShirt" → already_confirmed
  purchase alice Shirt is paid
story: nothing to let go
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#PassShirt" → nothing_to_confirm
  reply to p1 says "nothing of yours to let go"
  post stranger p2 "#PassShirt" → not_linked
story: a change of mind older than the hold belongs to an earlier one
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#PassShirt", made 5 minutes ago → nothing_to_confirm
  purchase alice Shirt is pending
story: the first hashtag decides between buying and letting go
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt #PassShirt" → pending
  post alice p2 "#PassShirt #ConfirmShirt" → passed
story: a suspended buyer can still let go
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  suspend alice
  post alice p2 "#PassShirt" → passed
story: deleting the purchase post
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  delete p1 → passed
  delete p1
  purchase alice Shirt is cancelled
