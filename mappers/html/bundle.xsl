<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0

     Any Bundle, every element of it, for engineers: what a mapper made of a message. No judgement about what matters; nothing is
     left out. View: the Bundle. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:include href="frame.xsl"/>

  <xsl:template match="/">
    <html lang="{$lang}">
      <xsl:call-template name="head">
        <xsl:with-param name="title" select="$l/bundle_title"/>
      </xsl:call-template>
      <body>
        <xsl:call-template name="top">
          <xsl:with-param name="title" select="$l/bundle_title"/>
        </xsl:call-template>
        <main id="main" class="page">
          <h1><xsl:value-of select="$l/bundle_title"/><xsl:text> (</xsl:text><xsl:value-of select="count($v/entry/item)"/><xsl:text>)</xsl:text></h1>
          <xsl:apply-templates select="$v/entry/item/resource"/>
        </main>
      </body>
    </html>
  </xsl:template>

  <xsl:template match="resource">
    <xsl:variable name="word" select="$l/*[name() = concat('type_', current()/resourceType)]"/>
    <section class="card tree">
      <h2>
        <xsl:value-of select="resourceType"/>
        <xsl:if test="$word"><xsl:text> </xsl:text><span class="kana"><xsl:value-of select="$word"/></span></xsl:if>
        <xsl:text> </xsl:text><span class="origin"><xsl:value-of select="id"/></span>
      </h2>
      <dl><xsl:apply-templates select="*[name() != 'resourceType' and name() != 'id']" mode="tree"/></dl>
    </section>
  </xsl:template>

  <xsl:template match="*" mode="tree">
    <dt>
      <xsl:choose>
        <xsl:when test="name() = 'm'"><xsl:value-of select="@name"/></xsl:when>
        <xsl:when test="name() = 'item'"><xsl:value-of select="position()"/></xsl:when>
        <xsl:otherwise><xsl:value-of select="name()"/></xsl:otherwise>
      </xsl:choose>
    </dt>
    <dd>
      <xsl:choose>
        <xsl:when test="count(*) = 1 and item"><xsl:apply-templates select="item" mode="one"/></xsl:when>
        <xsl:when test="*"><dl><xsl:apply-templates select="*" mode="tree"/></dl></xsl:when>
        <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
      </xsl:choose>
    </dd>
  </xsl:template>

  <!-- The only item of a list: without its number. -->
  <xsl:template match="item" mode="one">
    <xsl:choose>
      <xsl:when test="*"><dl><xsl:apply-templates select="*" mode="tree"/></dl></xsl:when>
      <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
