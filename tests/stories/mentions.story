# Some networks let only those be answered who mention or quote the shop: a wish without that holds nothing, is answered
# by nobody, and leaves no record.
story: a wish without a mention holds nothing
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  offer Deal: #Amex, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#BuyShirt" → mention_needed
  post alice p2 "#PassShirt" → mention_needed
  post alice p3 "#Amex" → mention_needed
  post stranger p4 "me@shop #BuyShirt" → mention_needed
  post alice p5 "lovely weather #rain" → no_offer
  stock Shirt: 3 available, 0 held, 0 sold
  deal Deal: 0 enrolled, 0 credits of 0
  records: 0 posts
  outbox: 0
  post alice p6 "@shop #BuyShirt" → pending
  reply to p6 says "#ConfirmShirt"
  post alice p7 "#PassShirt" → mention_needed
  purchase alice Shirt is pending
  post alice p8 "@Shop #PassShirt" → passed
  reply to p8 says "charged"
  post alice p9 "#Amex @shop" → enrolled
  post stranger p10 "@shop #BuyShirt" → not_linked
  reply to p10 says "link"
story: where nobody is asked for a mention, and where the shop has no name
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x and mastodon
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#PassShirt" → passed
  network mastodon: we are shop
  post alice p3 "#BuyShirt" on mastodon → pending
  network mastodon: mention needed
  post alice p4 "#PassShirt" on mastodon → mention_needed
  network x: we are shop, no mention needed
  post alice p5 "#PassShirt" on x → passed
# The network knows more than the text: what is quoted, whom a reply is to.
story: the network's word comes before the text
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "@shop #BuyShirt" not to us → mention_needed
  post alice p2 "#BuyShirt" quoting r1 → mention_needed
  post alice p3 "#BuyShirt" quoting r1 to us → pending
  reply to p3 says "#ConfirmShirt"
  post alice p4 "#BuyShrt" not to us → no_offer
  post alice p5 "#PassShrit" to us → near_miss
story: a near miss is asked about without a mention in the text, and not against the network's word
  network x: we are shop
  offer Shirt: #BuyShirt
  buyer alice on x
  post alice p1 "@shop #BuyShrt" not to us → no_offer
  post alice p2 "#BuyShrt" to us → near_miss
# No buyer in time is turned away; but whoever did not mention the shop hears nothing of it, now or later.
story: a confirmation counts without a mention, and is not answered
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "@shop #BuyShirt" → pending
  sent p1
  post alice p2 "#ConfirmShirt" → confirmed
  no reply to p2
  gateway says paid to alice Shirt
  no reply to p2
  reply to p1 is sent
  ship alice Shirt
  purchase alice Shirt is paid
  outbox: 0
  post alice p3 "#ConfirmShirt" → already_confirmed
  no reply to p3
story: it is answered where it mentions the shop
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "@shop #BuyShirt" → pending
  sent p1
  post alice p2 "@shop #ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  reply to p2 says "was charged"
story: nor is it told of a decline, a step that is left, a parcel, or a sale that was cancelled
  network mastodon: we are shop, mention needed
  offer Shirt: #BuyShirt, 9 in stock, limit 9
  buyer alice on mastodon
  post alice p1 "@shop #BuyShirt" → pending
  sent p1
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says owner to alice Shirt
  gateway says declined to alice Shirt
  post alice p3 "@shop #BuyShirt" → pending
  sent p3
  post alice p4 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt
  post alice p5 "@shop #BuyShirt" → pending
  sent p5
  post alice p6 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  cancel order alice Shirt
  no reply to p2
  no reply to p4
  no reply to p6
  outbox: 0
story: too late, and nothing to confirm
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#ConfirmShirt" → nothing_to_confirm
  post alice p2 "@shop #BuyShirt" → pending
  sent p2
  after 15 minutes 1 ms
  post alice p3 "#ConfirmShirt" → too_late
  post stranger p4 "#ConfirmShirt" → not_linked
  no reply to p1
  no reply to p3
  no reply to p4
  # What was not said counts as not said.
  post stranger p5 "@shop #ConfirmShirt" → not_linked
  reply to p5 says "link"
story: of two hashtags the one with a hold behind it counts
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt #ConfirmShirt" → mention_needed
  post alice p2 "@shop #BuyShirt" → pending
  post alice p3 "#BuyShirt #ConfirmShirt" → confirmed
  no reply to p3
# A native repost mentions nobody.
story: a repost confirms and is not answered
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "@shop #BuyShirt" → pending
  sent p1 as r1
  repost alice p2 of r1 with "RT @shop #ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  no reply to p2
  outbox: 0
story: nor is one that came before its reply was reported
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "@shop #BuyShirt" → pending
  repost alice p2 of r1 → repost_ignored
  sent p1 as r1
  purchase alice Shirt is capturing
  gateway says paid to alice Shirt
  no reply to p2
  outbox: 0
# Linking asks for a code, not for a mention.
story: a code proves without a mention
  network x: we are shop
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  session s1 for alice on x to unlink
  step s1 code Unlink0123456789abc
  post alice p1 "#Unlink0123456789abc" → no_offer
  linking s1 is proven by alice
