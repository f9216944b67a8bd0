# Judging a post.

# Seen (same network and id): the first answer again with "repeated"; nothing changes, an edit included.
story: a post delivered twice is judged once
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → pending, repeated
  stock Shirt: 2 available, 1 held, 0 sold
story: an edit of a post changes nothing
  offer Shirt: #BuyShirt, 3 in stock
  offer Mug: #BuyMug, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p1 "#BuyMug" → pending, repeated
  stock Mug: 3 available, 0 held, 0 sold
story: a repeated confirmation is answered as the first time
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p2 "#ConfirmShirt" → confirmed, repeated
  attempts alice Shirt: paid

# The same id from another author is refused; the same id on another network is another post.
story: another author cannot deliver a post of the same id
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p1 "#BuyShirt" → refused: another author
  stock Shirt: 2 available, 1 held, 0 sold
story: the same id on another network is another post
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p1 "#BuyShirt" → pending

# A post whose deletion came first: deleted.
story: a deletion that overtakes its post
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  delete p1 on x
  post alice p1 "#BuyShirt" → deleted
  stock Shirt: 3 available, 0 held, 0 sold
  no reply to p1

# Older than the network's max_post_age_seconds: stale_post, never acted on.
story: a replayed archive buys nothing
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt", made 2 hours ago → stale_post
  records: 0 posts
  no reply to p1
story: the age at which a post is stale, to the millisecond
  offer Shirt: #BuyShirt, 3 in stock, limit 2
  buyer alice on x
  post alice p1 "#BuyShirt", made 1 hour 1 ms ago → stale_post
  post alice p2 "#BuyShirt", made 1 hour ago → pending
story: a network may have another age
  network x: posts up to 5 minutes
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt", made 6 minutes ago → stale_post
story: what was acted on is still known after that age
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  after 3 hours
  tick → 1 freed
  post alice p1 "#BuyShirt", made 3 hours ago → pending, repeated
  stock Shirt: 3 available, 0 held, 0 sold

# Posts that match nothing leave no record in the store.
story: a post that matches nothing leaves nothing
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "BuyShirt without a hash, and #Other" → no_offer
  records: 0 posts
  no reply to p1
story: a misspelt hashtag buys nothing
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShrit" → no_offer

# By our own identity on that network: own_post.
story: our own advert is never judged
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  post shop p1 "Post #BuyShirt to buy it" → own_post
  records: 0 posts
story: our identity on one network is nobody on another
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  post shop p1 "#BuyShirt" on mastodon → not_linked

# A native repost confirms only if it reposts the reply that we addressed to that very account.
story: a repost of the reply confirms
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1 as r1
  repost alice p2 of r1 → confirmed
story: a repost of the shop's advert buys nothing, whatever its hashtags
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  repost alice p1 of advert with "#BuyShirt" → repost_ignored
  stock Shirt: 3 available, 0 held, 0 sold
story: somebody else's repost of the reply confirms nothing
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  sent p1 as r1
  repost bob p2 of r1 → repost_ignored
  repost stranger p3 of r1 → repost_ignored
  purchase alice Shirt is pending
story: a repost before its bridge said sent confirms then
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  repost alice p2 of r1 → repost_ignored
  after 5 seconds
  sent p1 as r1
  purchase alice Shirt is capturing
story: a repost before its bridge said sent confirms nothing once its author has gone to another account
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x and bluesky
  post alice p1 "#BuyShirt" on x → pending
  repost alice p2 of r1 on x → repost_ignored
  session s1 for alice on x
  step s1 address US
  step s1 agrees
  step s1 begins c1
  step s1 stores c1 tok_amex
  step s1 code Link0123456789abc
  post alice p3 "#Link0123456789abc" on x → no_offer
  step s1 confirms as new
  sent p1 as r1
  purchase alice Shirt is pending
  post alice p4 "#ConfirmShirt" on bluesky → confirmed
story: a repost confirms only that reply's purchase
  offer Shirt: #BuyShirt, 3 in stock
  offer Mug: #BuyMug, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyMug" → pending
  sent p1 as r1
  sent p2 as r2
  repost alice p3 of r2 with "#ConfirmShirt" → confirmed
  purchase alice Shirt is pending
  purchase alice Mug is capturing

# An old-style "RT @shop … #ConfirmX" is a post: its hashtag counts.
story: an old-style retweet confirms
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "RT @shop post #ConfirmShirt" → confirmed

# One post, one offer: the first matching hashtag decides.
story: the first matching hashtag decides
  offer Shirt: #BuyShirt, 3 in stock
  offer Mug: #BuyMug, 3 in stock
  buyer alice on x
  post alice p1 "#nothing #BuyMug #BuyShirt" → pending
  purchase alice Mug is pending
  stock Shirt: 3 available, 0 held, 0 sold
# … except that a confirm hashtag with a pending purchase behind it comes before a purchase hashtag.
story: a confirmation comes before a purchase
  offer Shirt: #BuyShirt, 3 in stock
  offer Mug: #BuyMug, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyMug #ConfirmShirt" → confirmed
  stock Mug: 3 available, 0 held, 0 sold
# No post ever both starts and confirms.
story: one post cannot both start and confirm
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt #ConfirmShirt" → pending
  purchase alice Shirt is pending
story: case and width of a hashtag do not matter
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "＃ＢＵＹｓｈｉｒｔ" → pending
