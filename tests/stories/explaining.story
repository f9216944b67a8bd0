# Every post that the till acted on or that mentions the shop can be explained: the rule in a sentence, by how much, and
# what followed in time order.

story: late by so much, and in time by so much
  network x: many replies a post
  offer Shirt: #BuyShirt, 5 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  sent p1
  sent p2
  after 14 minutes
  post bob p3 "#ConfirmShirt" → confirmed
  why p3 "with 60 seconds to go"
  post bob p4 "#BuyShirt" → limit_reached
  why p4 "it had 1"
  after 1 minute 12 seconds
  post alice p5 "#ConfirmShirt" → too_late
  why p5 "by 12 seconds"
  why p1 goes on with "A unit was held for $15.00, until 2013-02-12T14:15:00.000Z"
  why p1 goes on with "The reply was out as r-p1"
  why p1 goes on with "Nobody confirmed it in time"
story: not yet, not any more, and not enough
  offer Early: #BuyEarly, starts in 3 hours
  offer Over: #BuyOver, ends in 1 second
  offer Few: #BuyFew, 2 in stock, limit 9, up to 9 at once
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyEarly" → not_started
  why p1 "it starts 3 hours later"
  after 11 seconds
  post alice p2 "#BuyOver" → ended
  why p2 "10 seconds before"
  post alice p3 "#BuyFew x5" → pending
  why p3 "3 fewer than asked for"
  post bob p4 "#BuyFew x2" → sold_out
  why p4 "2 fewer than asked for"
story: a place in line, and what came of it
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  why p2 "at place 1"
  after 1 minute
  post alice p3 "#PassShirt" → passed
  why p2 goes on with "A unit was held for $15.00"
  why p1 goes on with "It was cancelled before it was confirmed."
story: the gateway's answers, the order, a refund
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  after 1 second
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  gateway says lost to alice Shirt
  gateway says created to alice Shirt
  gateway says paid to alice Shirt
  ship alice Shirt
  refund alice Shirt 5.00
  why p1 goes on with "Charge 1 was begun: lost before the gateway had it (pay_1)."
  why p2 goes on with "Charge 2 was begun: paid (pay_2)."
  why p2 goes on with "It was shipped."
  why p2 goes on with "A refund of $5.00 was begun: the gateway is being asked"
story: deleted, and a card that is declined
  offer Shirt: #BuyShirt
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  delete p1
  why p1 goes on with "The network said that it was deleted."
  post bob p2 "#BuyShirt" → pending
  post bob p3 "#ConfirmShirt" → confirmed
  gateway says declined to bob Shirt
  why p3 goes on with "declined (card_declined)"
# Kept for a set time (default 90 days) and cleaned by the tick in slices; that a post was seen is kept longer.
story: after 90 days the replies are forgotten, not that the post was seen
  offer Shirt: #BuyShirt, 2 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  sent p1
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  after 90 days
  tick
  why p1 goes on with "The reply was out as r-p1"
  after 1 ms
  tick
  no reply to p1
  why p1 goes on with "A unit was held for $15.00"
  post alice p1 "#BuyShirt" → pending, repeated
  purchase alice Shirt is paid
  repost alice p3 of r-p1 → repost_ignored
