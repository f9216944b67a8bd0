# A hashtag within one typing error of a live one, by a linked buyer, in a post that mentions the shop: a "did you mean"
# reply, once per identity and offer; never a hold. Not under 6 letters; not where two offers are as near.

story: a letter too few, too many, another, and two swapped
  network x: we are shop
  offer Shirt: #BuyShirt, 5 in stock
  buyer alice on x
  buyer bob on x
  buyer carl on x
  buyer dora on x
  post alice p1 "@shop #BuyShrt please" → near_miss
  reply to p1 says "Did you mean #BuyShirt?"
  post bob p2 "#BuyShirtt @Shop" → near_miss
  post carl p3 "#BoyShirt @shop" → near_miss
  post dora p4 "@shop #BuyShrit" → near_miss
  stock Shirt: 5 available, 0 held, 0 sold
  post alice p1 "@shop #BuyShrt please" → near_miss, repeated
story: asked once an identity and offer
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "@shop #BuyShrt" → near_miss
  post alice p2 "@shop #BuyShrit" → near_miss
  no reply to p2
story: a confirmation and a change of mind can be missed as well
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "@shop #BuyShirt" → pending
  post alice p2 "@shop #ConfirmShrit" → near_miss
  reply to p2 says "Did you mean #ConfirmShirt?"
  purchase alice Shirt is pending
story: without a mention, a link, or an identity of our own it is nothing
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "@shop #BuyShrt" → no_offer
  network x: we are shop
  post alice p2 "#BuyShrt" → no_offer
  post alice p3 "me@shop #BuyShrt" → no_offer
  post stranger p4 "@shop #BuyShrt" → no_offer
  suspend alice
  post alice p5 "@shop #BuyShrt" → no_offer
  outbox: 0
story: two errors, short hashtags, and two offers as near
  network x: we are shop
  offer Shirt: #BuyShirt
  offer Skirt: #BuySkirt
  offer Tea: #BuyTe
  buyer alice on x
  post alice p1 "@shop #BuyShrtt" → no_offer
  post alice p2 "@shop #BuyTa" → no_offer
  post alice p3 "@shop #BuySirt" → no_offer
  post alice p4 "@shop #BuyShrt" → near_miss
story: an offer that is over is not meant
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  finish Shirt
  post alice p1 "@shop #BuyShrt" → no_offer
story: a hashtag that is right comes before one that is not
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "@shop #BuyShrt #BuyShirt" → pending
story: posts that mention the shop are remembered, others are not
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "Lovely weather" → no_offer
  records: 0 posts
  post stranger p2 "@shop do you have hats?" → no_offer
  records: 1 posts
  post stranger p2 "@shop do you have hats?" → no_offer, repeated
