# An offer may have a waiting list. Sold out → waitlisted with the place; when a unit is freed by whatever cause, or
# added, the next in line whose account may still buy gets a hold with a reply and a full window.

story: in line, and served in order
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  reply to p2 says "number 1 in line"
  post carl p3 "#BuyShirt" → waitlisted, number 2
  stock Shirt: 0 available, 1 held, 0 sold, 2 waiting
  after 5 minutes
  post alice p4 "#PassShirt" → passed
  purchase bob Shirt is pending
  reply to p2 says "It is your turn. "
  reply to p2 says "#ConfirmShirt"
  stock Shirt: 0 available, 1 held, 0 sold, 1 waiting
  post bob p5 "#ConfirmShirt" → confirmed
  gateway says declined to bob Shirt
  purchase carl Shirt is pending
  stock Shirt: 0 available, 1 held, 0 sold
story: a full window from the reply on, and silence moves on
  offer Shirt: #BuyShirt, 1 in stock, window 5 minutes, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  post carl p3 "#BuyShirt" → waitlisted, number 2
  delete p1 → passed
  after 3 minutes
  sent p2
  after 5 minutes
  post bob p4 "#BuyShirt" → already_pending
  after 31 seconds
  tick → 1 freed
  purchase bob Shirt is expired
  purchase carl Shirt is pending
story: a repost of the reply confirms
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  cancel alice Shirt
  sent p2 as r2
  repost bob p3 of r2 → confirmed
story: a refund that restocks, and units that are added
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post bob p3 "#BuyShirt" → waitlisted, number 1
  post carl p4 "#BuyShirt" → waitlisted, number 2
  post dora p5 "#BuyShirt" → waitlisted, number 3
  refund alice Shirt and restock
  bank gives back to alice Shirt
  purchase bob Shirt is pending
  change Shirt stock to 3
  purchase carl Shirt is pending
  purchase dora Shirt is pending
  stock Shirt: 0 available, 3 held, 0 sold
story: who may not buy any more is passed over
  offer Shirt: #BuyShirt, 1 in stock, waiting list, ships to US
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  buyer eve on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  post carl p3 "#BuyShirt" → waitlisted, number 2
  post dora p4 "#BuyShirt" → waitlisted, number 3
  post eve p5 "#BuyShirt" → waitlisted, number 4
  suspend bob
  move carl to CA
  link dora mastodon as dora2
  cancel alice Shirt
  purchase eve Shirt is pending
  stock Shirt: 0 available, 1 held, 0 sold
story: an account that is erased leaves the line
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  erase bob
  stock Shirt: 0 available, 1 held, 0 sold
story: leaving by post, by deleting, and by an operator
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  post carl p3 "#BuyShirt" → waitlisted, number 2
  post dora p4 "#BuyShirt" → waitlisted, number 3
  post bob p5 "#PassShirt" → passed
  delete p3 → passed
  strike dora Shirt
  strike dora Shirt → refused: no such place
  stock Shirt: 0 available, 1 held, 0 sold
story: the place can be asked for, once
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  post carl p3 "#BuyShirt" → waitlisted, number 2
  post bob p4 "#PassShirt" → passed
  post carl p5 "#BuyShirt" → waitlisted
  reply to p5 says "number 1 in line"
  post carl p6 "#BuyShirt" → waitlisted
  no reply to p6
  post carl p3 "#BuyShirt" → waitlisted, number 2, repeated
story: nobody jumps the line, and nothing moves while the offer is paused
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  pause Shirt
  cancel alice Shirt
  stock Shirt: 1 available, 0 held, 0 sold, 1 waiting
  resume Shirt
  purchase bob Shirt is pending
  post carl p3 "#BuyShirt" → waitlisted, number 1
story: a list that is closed serves who stands there
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  change Shirt waiting list off
  post carl p3 "#BuyShirt" → sold_out
  cancel alice Shirt
  purchase bob Shirt is pending
story: the end of the offer ends its list
  offer Shirt: #BuyShirt, 1 in stock, waiting list, ends in 1 hour
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post bob p3 "#BuyShirt" → waitlisted, number 1
  after 1 hour
  gateway says declined to alice Shirt
  stock Shirt: 1 available, 0 held, 0 sold, 1 waiting
  tick
  stock Shirt: 1 available, 0 held, 0 sold
story: the merchant's word ends it too
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p3 "#BuyShirt" → waitlisted, number 1
  finish Shirt
  tick
  stock Shirt: 0 available, 1 held, 0 sold
story: where a post may be answered once, the reply waits for the turn
  network x: one reply a post
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  no reply to p2
  cancel alice Shirt
  reply to p2 says "It is your turn"
story: where a post may be answered once, the rest does not wait
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 1 in stock, waiting list for the rest
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt x3" → pending
  post bob p2 "#BuyShirt x3" → waitlisted, number 1
  cancel alice Shirt
  purchase bob Shirt is pending
  stock Shirt: 0 available, 1 held, 0 sold
story: each size has its own line
  offer Shirt: #BuyShirt, waiting list, in S 1 of them, in M 1 of them
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  post alice p1 "#BuyShirt S" → pending
  post bob p2 "#BuyShirt S" → waitlisted, number 1
  post carl p3 "#BuyShirt M" → pending
  post dora p4 "#BuyShirt M" → waitlisted, number 1
  cancel carl Shirt
  purchase dora Shirt is pending, in M
  stock Shirt in S: 0 available, 1 held, 0 sold, 1 waiting
# …or the rest goes on the waiting list, as the offer says.
story: the rest waits, and comes once the first part is settled
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 3 in stock, waiting list for the rest
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt x2" → pending
  post bob p2 "#BuyShirt x3" → pending, number 1
  reply to p2 says "You can have 1 of 3."
  purchase bob Shirt is pending
  stock Shirt: 0 available, 3 held, 0 sold, 1 waiting
  post alice p3 "#PassShirt" → passed
  stock Shirt: 2 available, 1 held, 0 sold, 1 waiting
  post bob p4 "#ConfirmShirt" → confirmed
  gateway says paid to bob Shirt
  purchase bob Shirt is pending, 2 units
  stock Shirt: 0 available, 2 held, 1 sold
story: units pass by whose own hold is open
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 2 in stock, waiting list for the rest
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt x3" → pending, number 1
  post carl p3 "#BuyShirt" → waitlisted, number 2
  cancel alice Shirt
  purchase carl Shirt is pending
  stock Shirt: 0 available, 2 held, 0 sold, 1 waiting
story: whoever asks again after the hold ran out gets what they wait for, and not one more beside it
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 2 in stock, window 15 minutes, waiting list for the rest
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt x2" → pending, number 1
  cancel alice Shirt
  stock Shirt: 1 available, 1 held, 0 sold, 1 waiting
  sent p2
  after 15 minutes 1 ms
  post bob p3 "#BuyShirt" → already_pending
  purchase bob Shirt is pending
  stock Shirt: 1 available, 1 held, 0 sold
  after 1 hour
  tick → 1 freed
story: a newcomer does not get what somebody waits for, free or not
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 2 in stock, waiting list for the rest
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt x3" → pending, number 1
  cancel alice Shirt
  stock Shirt: 1 available, 1 held, 0 sold, 1 waiting
  post carl p3 "#BuyShirt" → waitlisted, number 2
  purchase bob Shirt is pending
story: letting go ends the hold and the waiting for the rest
  offer Shirt: #BuyShirt, limit 5, up to 3 at once, 1 in stock, waiting list for the rest
  buyer alice on mastodon
  post alice p1 "#BuyShirt x3" → pending, number 1
  post alice p2 "#PassShirt" → passed
  stock Shirt: 1 available, 0 held, 0 sold
story: a line is looked at a part at a time, and the next tick goes on
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post bob p1 "#BuyShirt" → pending
  crowd of 300 posts "#BuyShirt" and is suspended
  post alice p2 "#BuyShirt" → waitlisted, number 301
  cancel bob Shirt
  stock Shirt: 1 available, 0 held, 0 sold, 45 waiting
  post bob p3 "#BuyShirt" → waitlisted, number 46
  tick → 0 freed
  stock Shirt: 1 available, 0 held, 0 sold, 46 waiting
  after 1 second
  tick → 0 freed
  purchase alice Shirt is pending
  stock Shirt: 0 available, 1 held, 0 sold, 1 waiting
