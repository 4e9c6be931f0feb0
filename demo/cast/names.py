"""What the invented people are called. None of the last names triggers anything in the sandbox."""

from __future__ import annotations

from demo.cast.dice import Dice
from models.enums import Title


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


WOMEN = _listed(
    """
    Adèle, Agnès, Aïcha, Alice, Amandine, Aminata, Anaïs, Angélique, Anne-Laure, Assia, Aurélie, Béatrice, Camille,
    Carole, Céline, Chantal, Chloé, Christelle, Clara, Corinne, Delphine, Élodie, Émilie, Estelle, Fatima,
    Fatoumata, Florence, Gaëlle, Hélène, Inès, Isabelle, Jade, Jeanne, Julie, Justine, Karima, Khadija, Laëtitia,
    Laura, Leïla, Léa, Lina, Lucie, Maëlys, Malika, Manon, Marie-Ange, Marine, Maryam, Mélanie, Mireille, Myriam,
    Nadège, Nadia, Nathalie, Noémie, Océane, Oksana, Pauline, Rachida, Romane, Sabrina, Salomé, Samira, Sandrine,
    Solène, Sonia, Sophie, Stéphanie, Sylvie, Valérie, Véronique, Virginie, Yasmine, Zoé
    """
)
MEN = _listed(
    """
    Abdoulaye, Adrien, Ahmed, Alain, Alexandre, Ali, Amadou, Anthony, Antoine, Arnaud, Axel, Baptiste, Bastien,
    Benoît, Bilal, Bruno, Cédric, Christophe, Clément, Cyril, Damien, Daniel, David, Didier, Élie, Emmanuel, Enzo,
    Éric, Fabien, Fabrice, Farid, Florian, Franck, François, Frédéric, Gaël, Georges, Guillaume, Hakim, Hugo,
    Ibrahim, Jean-Luc, Jérémy, Jérôme, Jordan, Julien, Karim, Kévin, Laurent, Loïc, Lucas, Ludovic, Mamadou, Marc,
    Mathieu, Maxime, Mehdi, Michaël, Mohamed, Mourad, Nabil, Nicolas, Olivier, Ousmane, Pascal, Patrick, Philippe,
    Pierre, Quentin, Rachid, Raphaël, Rémi, Romain, Samir, Sébastien, Stéphane, Théo, Thierry, Thomas, Tristan,
    Vincent, Xavier, Yann, Youssef
    """
)
LAST_NAMES = _listed(
    """
    Abadie, Adam, Aubert, Aubry, Bah, Baron, Barthélemy, Belkacem, Benali, Benoist, Bernard, Berthier, Besson,
    Blanchard, Boucher, Bouchet, Boulanger, Bourgeois, Brunet, Carlier, Caron, Cartier, Charpentier, Chevalier,
    Cissé, Clerc, Colin, Collet, Cordier, Cousin, Da Silva, David, De Oliveira, Delaunay, Delmas, Denis, Deschamps,
    Diallo, Diarra, Dufour, Dumas, Dupuy, Durand, Duval, El Amrani, Étienne, Fabre, Faure, Fernandez, Ferrand,
    Fleury, Fontaine, Fournier, Gaillard, Garcia, Garnier, Gauthier, Gautier, Gérard, Germain, Gilbert, Girard,
    Giraud, Gonzalez, Grandjean, Guérin, Guichard, Guillaume, Guillot, Haddad, Hamel, Henry, Hervé, Hubert, Huet,
    Humbert, Jacob, Jacquet, Joly, Jourdan, Julien, Keïta, Klein, Konaté, Kovalenko, L'Hermite, Lacroix, Lambert,
    Laporte, Laurent, Lebrun, Leclerc, Lefèvre, Legrand, Lemaire, Lemoine, Le Gall, Le Roux, Lévêque, Lopez, Lucas,
    Maillard, Mallet, Mansouri, Marchal, Marchand, Maréchal, Marion, Martinez, Masson, Mathieu, Menard, Mercier,
    Meunier, Meyer, Michaud, Millet, Monnier, Moreau, Morel, Moulin, Muller, N'Diaye, Nguyen, Nicolas, Noël,
    Olivier, Ouattara, Paris, Pelletier, Pereira, Perret, Perrier, Petitjean, Philippe, Picard, Poirier, Pons,
    Popescu, Prévost, Rahmani, Renaud, Renard, Rey, Reynaud, Rivière, Robin, Roche, Rodriguez, Rolland, Rousseau,
    Roussel, Roy, Royer, Saïdi, Sauvage, Schmitt, Simon, Sow, Tanguy, Thibault, Tessier, Touré, Traoré, Vasseur,
    Verdier, Vidal, Vincent, Weber, Yilmaz, Zerrouki, Zimmermann
    """
)


def first_name(title: Title, dice: Dice) -> str:
    return dice.pick(MEN if title is Title.M else WOMEN)


def last_name(dice: Dice) -> str:
    """Return a birth name; one in sixteen is double."""
    name = dice.pick(LAST_NAMES)
    if dice.chance(1 / 16):
        second = dice.pick(LAST_NAMES)
        if second != name:
            return f"{name}-{second}"
    return name
