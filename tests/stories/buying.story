# Buy. In this order: not_linked, account_suspended, already_pending, not_started, ended, paused, cannot_ship,
# limit_reached, sold_out, else pending.

story: not linked
  offer Shirt: #BuyShirt, 3 in stock
  post stranger p1 "#BuyShirt" → not_linked
  reply to p1 says "link a card"
  stock Shirt: 3 available, 0 held, 0 sold
story: suspended comes before everything of the offer
  offer Shirt: #BuyShirt, 3 in stock, ships to US, starts in 1 hour
  buyer alice on x from CA
  suspend alice
  post alice p1 "#BuyShirt" → account_suspended
story: already pending comes before a paused offer
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  pause Shirt
  post alice p2 "#BuyShirt" → already_pending
  stock Shirt: 2 available, 1 held, 0 sold
# a hold with t ≤ expires_at; otherwise expire it and go on
story: a hold whose time is over makes room for a new one
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 15 minutes
  post alice p2 "#BuyShirt" → already_pending
  after 1 ms
  post alice p3 "#BuyShirt" → pending
  purchase alice first Shirt is expired
  stock Shirt: 0 available, 1 held, 0 sold
story: not started comes before cannot ship
  offer Shirt: #BuyShirt, 3 in stock, starts in 1 hour, ships to US
  buyer alice on x from CA
  post alice p1 "#BuyShirt" → not_started
  after 1 hour
  post alice p2 "#BuyShirt" → cannot_ship
story: an offer starts at its millisecond
  offer Shirt: #BuyShirt, 3 in stock, starts in 1 second
  buyer alice on x
  after 999 ms
  post alice p1 "#BuyShirt" → not_started
  after 1 ms
  post alice p2 "#BuyShirt" → pending
story: an offer ends at its millisecond, before paused
  offer Shirt: #BuyShirt, 3 in stock, ends in 1 second
  buyer alice on x
  pause Shirt
  after 999 ms
  post alice p1 "#BuyShirt" → paused
  after 1 ms
  post alice p2 "#BuyShirt" → ended
story: paused, and on sale again
  offer Shirt: #BuyShirt, 3 in stock, ships to US
  buyer alice on x
  buyer carl on x from CA
  pause Shirt
  post carl p0 "#BuyShirt" → paused
  post alice p1 "#BuyShirt" → paused
  resume Shirt
  post alice p2 "#BuyShirt" → pending
story: cannot ship comes before sold out
  offer Shirt: #BuyShirt, 1 in stock, ships to US+MX
  buyer alice on x from MX
  buyer carl on x from CA
  post alice p1 "#BuyShirt" → pending
  post carl p2 "#BuyShirt" → cannot_ship
# limit_reached: pending, capturing and paid count; expired, cancelled and declined do not.
story: the limit comes before sold out
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post alice p3 "#BuyShirt" → limit_reached
  gateway says paid to alice Shirt
  post alice p4 "#BuyShirt" → limit_reached
story: declined, cancelled and expired ones do not count
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says declined to alice Shirt
  post alice p3 "#BuyShirt" → pending
  cancel alice Shirt
  post alice p4 "#BuyShirt" → pending
  after 1 hour
  tick → 1 freed
  post alice p5 "#BuyShirt" → pending
story: a limit of two
  offer Shirt: #BuyShirt, 5 in stock, limit 2
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post alice p3 "#BuyShirt" → pending
  post alice p4 "#ConfirmShirt" → confirmed
  post alice p5 "#BuyShirt" → limit_reached
story: the last unit goes and the next buyer is told so
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → sold_out
  reply to p2 says "Sold out"
# Offer state and limits are judged at arrival; only lateness of a confirm is judged at t.
story: the state of the offer is judged at arrival
  offer Shirt: #BuyShirt, 3 in stock, ends in 10 minutes
  buyer alice on x
  after 11 minutes
  post alice p1 "#BuyShirt", made 5 minutes ago → ended
