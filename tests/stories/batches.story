# Each command writes to a buffer of its own that its reads see; Ok keeps it, an error drops it.
story: buyers in one batch see each other
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  buyer bob on x
  together
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → sold_out
  post alice p1 "#BuyShirt" → pending, repeated
  end
  stock Shirt: 0 available, 1 held, 0 sold
story: a refused command in a batch leaves nothing
  together
  offer Shirt: #BuyShirt, 1 in stock
  offer Other: #BuyOther, confirm #BuyShirt → refused: taken
  offer Other: #BuyOther, 1 in stock
  end
  stock Other: 1 available, 0 held, 0 sold
story: a whole sale in one batch
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  together
  post alice p1 "#BuyShirt" → pending
  sent p1 as r1
  repost alice p2 of r1 → confirmed
  gateway says paid to alice Shirt
  end
  order alice Shirt is unfulfilled to US
