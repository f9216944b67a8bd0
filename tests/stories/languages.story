# Reply texts are templates in one file per language, chosen by the post's lang, overridable per offer. Money and times
# have the form of the language.

story: a post is answered in its own language
  offer Shirt: #BuyShirt, 1149.99 USD, window 15 minutes, ends in 30 days
  buyer alice on mastodon
  buyer bob on mastodon
  buyer carl on mastodon
  buyer dora on mastodon
  buyer emil on mastodon
  post alice p1 "#BuyShirt" in de → pending
  reply to p1 says "1.149,99 $"
  reply to p1 says "binnen 15 Minuten"
  reply to p1 says "#ConfirmShirt"
  reply to p1 says "Bis 14.03.2013."
  post bob p2 "#BuyShirt" in es → pending
  reply to p2 says "1149,99 US$"
  reply to p2 says "15 minutos"
  post carl p3 "#BuyShirt" in fr → pending
  reply to p3 says "Shirt : "
  reply to p3 says "15 minutes"
  reply to p3 says "14 mars 2013"
  post dora p4 "#BuyShirt" in ja → pending
  reply to p4 says "Shirt："
  reply to p4 says "15分以内に"
  reply to p4 says "2013/03/14まで。"
  post emil p5 "#BuyShirt" in en → pending
  reply to p5 says "$1,149.99"
  reply to p5 says "Ends Mar 14, 2013."
story: what comes later is in the language of the post that began it
  network x: one reply a post
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock, waiting list
  buyer alice on x
  buyer bob on mastodon
  post alice p1 "#BuyShirt" in de → pending
  post bob p2 "#BuyShirt" in fr → waitlisted, number 1
  reply to p2 says "Vous avez la place 1"
  sent p1 as r1
  repost alice p3 of r1 → confirmed
  gateway says paid to alice Shirt
  reply to p3 says "15,00 $ wurden abgebucht"
  change Shirt stock to 2
  reply to p2 says "C'est votre tour."
story: a confirmation in another language is answered in that one
  offer Shirt: #BuyShirt, 15.00 USD
  buyer alice on mastodon
  post alice p1 "#BuyShirt" in de → pending
  post alice p2 "#ConfirmShirt" in es → confirmed
  reply to p2 says "Se están cobrando 15,00 US$"
story: a language that the till does not speak is answered in the offer's, or in the till's
  offer Shirt: #BuyShirt, replies in ja
  offer Mug: #BuyMug
  buyer alice on mastodon
  post alice p1 "#BuyShirt" in pt → pending
  reply to p1 says "登録カード"
  post alice p2 "#BuyMug" in pt → pending
  reply to p2 says "linked card"
  offer Hat: #BuyHat, replies in pt → refused: must be one of en, de, es, fr, ja
story: an offer has words of its own, in the languages that it likes
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock, says de sold_out "Weg ist weg.", says de too_late "Zu spät!"
  buyer alice on mastodon
  buyer bob on mastodon
  post bob q1 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" in de → sold_out
  reply to p1 says "Shirt: Weg ist weg."
  post alice p2 "#BuyShirt" in en → sold_out
  reply to p2 never says "Weg"
  change Shirt to say en sold_out "No more today."
  post alice p3 "#BuyShirt" in en → sold_out
  reply to p3 says "Shirt: No more today."
  post alice p4 "#BuyShirt" in de → sold_out
  reply to p4 never says "Weg"
story: an offer's own words are checked before they are kept
  offer A: #BuyA1, says pt sold_out "x" → refused: is no language that the till speaks; it speaks en, de, es, fr, ja
  offer A: #BuyA1, says en greeting "Hi" → refused: is nothing that the till says
  offer A: #BuyA1, says en held "Yours for {price}." → refused: must have {price}, {confirm} and {window}
  offer A: #BuyA1, says en sold_out "Gone for {prise}" → refused: has {prise}, but takes no placeholder
  offer A: #BuyA1, says en too_late "Try #BuyB1 then" → refused: must not name a hashtag of its own
  network tiny: texts up to 140
  offer A: #BuyA1, says en sold_out "This is a very long way to say that there is nothing left of what you wanted to buy, and that it is a pity, and that we are sorry, and that there may be more." → refused: with the longest values, and tiny takes 140 only
  offer A: #BuyA1, says en sold_out "All gone." → done
story: replies to different posts do not all look the same
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on mastodon
  buyer bob on mastodon
  post bob q1 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → sold_out
  post alice p2 "#BuyShirt" → sold_out
  post alice p3 "#BuyShirt" → sold_out
  post alice p4 "#BuyShirt" → sold_out
  post alice p5 "#BuyShirt" → sold_out
  replies to p1 p2 p3 p4 p5 differ
  post alice p1 "#BuyShirt" → sold_out, repeated
