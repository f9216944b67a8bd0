# One buyer, many networks: what counts is the account.
story: bought on one network and confirmed on another
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock
  buyer alice on bluesky and mastodon
  post alice p1 "#BuyShirt" on bluesky → pending
  sent p1 as r1 by bluesky
  post alice p2 "#ConfirmShirt" on mastodon → confirmed
  reply to p2 says "is being charged"
  bridge on mastodon sees p2
  gateway says paid to alice Shirt
  purchase alice Shirt is paid
  attempts alice Shirt: paid
  post alice p3 "#ConfirmShirt" on bluesky → already_confirmed
story: a hold is the account's on every network
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on bluesky and mastodon
  post alice p1 "#BuyShirt" on bluesky → pending
  post alice p2 "#BuyShirt" on mastodon → already_pending
  stock Shirt: 2 available, 1 held, 0 sold
  post alice p3 "#PassShirt" on mastodon → passed
  stock Shirt: 3 available, 0 held, 0 sold
story: the limit holds across networks
  offer Shirt: #BuyShirt, 5 in stock, limit 2
  buyer alice on bluesky and mastodon
  post alice p1 "#BuyShirt" on bluesky → pending
  post alice p2 "#ConfirmShirt" on bluesky → confirmed
  gateway says paid to alice Shirt
  post alice p3 "#BuyShirt" on mastodon → pending
  post alice p4 "#ConfirmShirt" on bluesky → confirmed
  gateway says paid to alice Shirt
  post alice p5 "#BuyShirt" on mastodon → limit_reached
  post alice p6 "#BuyShirt" on bluesky → limit_reached
  stock Shirt: 3 available, 0 held, 2 sold
story: a repost confirms where the reply is, and nowhere else
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on bluesky and mastodon
  post alice p1 "#BuyShirt" on bluesky → pending
  sent p1 as r1 by bluesky
  repost alice p2 of r1 on mastodon → repost_ignored
  repost alice p3 of r1 on bluesky → confirmed
