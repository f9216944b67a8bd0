# Price, confirmation hashtag, minutes, the end and terms where they fit, and that posting it orders and pays.
story: what the first reply says, on mastodon
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock, ends in 19 days, terms "https://shop.example/terms"
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  reply to p1 says "$15.00"
  reply to p1 says "#ConfirmShirt"
  reply to p1 says "15 minutes"
  reply to p1 says "orders"
  reply to p1 says "your linked card"
  reply to p1 says "Ends Mar 3, 2013"
  reply to p1 says "https://shop.example/terms"
story: no links on x, and a long title is cut
  offer Shirt: #BuyShirt, 3 in stock, terms "https://shop.example/terms", titled "とても長い名前のシャツとても長い名前のシャツとても長い名前のシャツとても長い名前のシャツとても長い名前のシャツとても長い名前のシャツとても長い名前のシャツ"
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  reply to p1 says "#ConfirmShirt"
  reply to p1 never says "https"
# Suspended and cannot_ship share one neutral text with declined.
story: nothing about the account
  offer Shirt: #BuyShirt, 3 in stock, ships to US
  buyer alice on x
  buyer carl on bluesky from CA
  suspend alice
  post alice p1 "#BuyShirt" → account_suspended
  post carl p2 "#BuyShirt" → cannot_ship
  reply to p1 says "This order could not be completed and nothing was charged."
  reply to p2 says "This order could not be completed and nothing was charged."
# Where a network allows one reply per post, the answer to a confirm waits for the capture.
story: one reply a post
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  no reply to p2
  gateway says paid to alice Shirt
  reply to p2 says "was charged"
story: many replies a post
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  reply to p2 says "is being charged"
# Not linked: one per identity and day. Already pending: one per purchase.
story: a stranger is told once a day
  offer Shirt: #BuyShirt, 3 in stock
  post stranger p1 "#BuyShirt" → not_linked
  post stranger p2 "#BuyShirt" → not_linked
  no reply to p2
  after 1 day
  post stranger p3 "#BuyShirt" → not_linked
  reply to p3 says "link"
story: a hold is recalled once
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyShirt" → already_pending
  reply to p2 says "Held for you already"
  post alice p3 "#BuyShirt" → already_pending
  no reply to p3
story: a network reports only its own replies
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1 as r1 by mastodon → refused: no such reply
# What is stale when its turn comes is dropped.
story: a reply that waited too long is dropped
  offer Shirt: #BuyShirt, 1 in stock
  post bob p1 "#BuyShirt" → not_linked
  outbox: 1
  after 61 minutes
  tick
  reply to p1 is dropped
  outbox: 0
# A network of very short posts still gets what has to be said.
story: a limit of 140 characters
  network mastodon: texts up to 140
  offer Shirt: #BuyTheBlueShirtWithTheStripesNow, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyTheBlueShirtWithTheStripesNow" on mastodon → pending
  reply to p1 says "#ConfirmTheBlueShirtWithTheStripesNow"
  reply to p1 says "orders"
  reply to p1 says "$15.00"
  reply to p1 says "15 minutes"
# Per network a rate (per 15 minutes, per day); what matters most goes first (confirmation hashtags, then paid, then late,
# then sold out, then not linked); what is stale when its turn comes is dropped and says so. An order never waits.
story: no more than a network takes in a quarter of an hour
  network x: a quarter of an hour takes 2
  offer Shirt: #BuyShirt
  buyer alice on x
  buyer bob on x
  buyer carl on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  post carl p3 "#BuyShirt" → pending
  bridge on x sees p1 p2
  sent p1
  bridge on x sees p2
  sent p2
  bridge on x sees nothing
  after 15 minutes
  bridge on x sees nothing
  after 8 minutes
  bridge on x sees p3
story: no more than a network takes in a day
  network x: a day takes 1
  offer Shirt: #BuyShirt
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 20 hours
  post bob p2 "#BuyShirt" → pending
  bridge on x sees nothing
story: what matters most goes first
  network x: many replies a post, a quarter of an hour takes 3
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  buyer bob on x
  post stranger p1 "#BuyShirt" → not_linked
  post alice p2 "#BuyShirt" → pending
  post bob p3 "#BuyShirt" → sold_out
  post alice p4 "#ConfirmShirt" → confirmed
  bridge on x sees p2 p4 p3
story: an order never waits for a reply
  network x: a day takes 1
  offer Shirt: #BuyShirt, 2 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  post bob p2 "#BuyShirt" → pending
  bridge on x sees nothing
  post bob p3 "#ConfirmShirt" → confirmed
  gateway says paid to bob Shirt
  order bob Shirt is unfulfilled to US
story: what is stale when its turn comes is dropped and says so
  network x: a day takes 1
  offer Shirt: #BuyShirt, 2 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  post bob p2 "#BuyShirt" → pending
  after 26 minutes
  tick → 2 freed
  reply to p2 is dropped
  why p2 goes on with "The reply was dropped: stale before its turn came"
